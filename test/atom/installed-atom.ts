import {execFile, spawn} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {createConnection} from 'mysql2/promise';
import {inject, test} from 'vitest';
import {readConfigPhp} from '../../src/atom/config/config-php.ts';
import {readVersion} from '../../src/atom/version.ts';
import {Secret} from '../../src/secret.ts';
import {runAtomctl} from '../support/atomctl/run-atomctl.ts';
import {createScratch} from '../support/scratch.ts';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';
import type {MariadbConnection} from '../support/servers/mariadb.ts';
import {insertJob, seedJobs} from '../support/site/atom-jobs.ts';
import type {AtomSite} from '../support/site/atom-site.ts';

const run = promisify(execFile);
const SUBMIT = fileURLToPath(new URL('submit.php', import.meta.url));
const DATABASE = 'atom_copy';

/** What the copy does without: what users uploaded, and what is made again. */
const LEFT_OUT = /^(\.git|cache|downloads|log|node_modules|uploads)(\/|$)/;
const MADE_AGAIN = ['cache', 'downloads', 'log', 'uploads/tmp', 'sandbox'];

/** The root of AtoM's descriptions, which every site has. */
export const ROOT_DESCRIPTION = 1;

const LONG_AGO = new Date('2019-01-01');

const HOW = 'ATOM_ROOT names no AtoM installation: ATOM_ROOT=/usr/share/nginx/atom npm run test:atom';

/** A copy of an installed AtoM and of its database, on private servers. The installation itself is only read. */
export interface InstalledAtom {
  root: string;
  /** `x.y.z` */
  version: string;
  mariadb: MariadbConnection;
}

/** The installation that ATOM_ROOT names. */
export interface Installation {
  /** Its root, without links. */
  source: string;
  version: readonly number[];
}

/** The installation at a path, or one sentence that says that there is none. */
export async function findInstallation(atomRoot: string): Promise<Installation | string> {
  const how = 'ATOM_ROOT=/usr/share/nginx/atom npm run test:atom';
  if (!existsSync(atomRoot)) return `ATOM_ROOT names ${atomRoot}, which does not exist: ${how}`;
  const source = realpathSync(atomRoot);
  const version = await readVersion(source);
  if (version === null)
    return `ATOM_ROOT names ${source}, which is not the root of an AtoM installation: ${how}`;
  return {source, version};
}

/** @param installation its database answers */
export async function copyAtom(
  {source, version}: Installation,
  {mariadb, searchPort}: {mariadb: MariadbConnection; searchPort: number},
): Promise<InstalledAtom> {
  await copyDatabase(source, mariadb);
  const root = join(createScratch('installed-atom'), 'atom');
  cpSync(source, root, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !LEFT_OUT.test(relative(source, file)),
  });
  for (const directory of MADE_AGAIN) mkdirSync(join(root, directory), {recursive: true});
  writeFileSync(join(root, 'config/config.php'), configPhp(mariadb));
  removeServers(join(root, 'config/gearman.yml'));
  writeFileSync(
    join(root, 'apps/qubit/config/search.yml'),
    `all:\n  server:\n    host: 127.0.0.1\n    port: '${searchPort}'\n`,
  );
  return {root, version: version.join('.'), mariadb};
}

/** Defines tests for the installed AtoM; without one, a test that says how to give it and is skipped. */
export function withInstalledAtom(define: (atom: InstalledAtom) => void): void {
  const atom = inject('installedAtom');
  if (atom === undefined) test('an installed AtoM', (context) => context.skip(HOW));
  else define(atom);
}

export interface InstalledSite extends AtomSite {
  isSince27: boolean;
  /** The user in whose name jobs are submitted. */
  userId: number;
  /** Submits a job as AtoM's web pages do, through QubitJob::runJob, whether or not a worker is there. Returns its id. */
  submit(jobClass: string, parameters: Readonly<Record<string, unknown>>): Promise<number>;
  /** Lets configuration and cache be older than any job: if they are newer, no job is called lost. */
  backdateConfiguration(): void;
  /** The CSV that AtoM makes of all jobs. */
  exportCsv(): Promise<string>;
  /** From now on, an import that adds a description waits, until the returned function is called. */
  holdImports(): Promise<() => Promise<void>>;
  /** One JSON document. */
  atomctl<T>(...args: string[]): Promise<T>;
}

/** The copy without jobs, on the given Gearman servers. One at a time. */
export async function openInstalledSite(
  {root, version, mariadb}: InstalledAtom,
  gearman: readonly string[],
): Promise<InstalledSite> {
  configure(root, gearman);
  const {host, port, user, password} = mariadb;
  const open = () => createConnection({host, port, user, password, database: DATABASE, dateStrings: true});
  const connection = await open();
  const deleteJobs = () => connection.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  await deleteJobs();
  const query = async <T>(sql: string, values: readonly unknown[] = []) =>
    (await connection.query(sql, [...values]))[0] as T[];
  const env = {ATOMCTL_ROOT: root};
  const atomctl = async (...args: string[]) => {
    const {stdout, stderr} = await runAtomctl([...args, '--json'], {env});
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const config: Record<'functionPrefix' | 'timezone', {value: string}> = await atomctl('config');
  const prefix = config.functionPrefix.value;
  const [admin] = await query<{id: number}>('SELECT id FROM user ORDER BY id LIMIT 1');
  const actions: (() => unknown)[] = [];
  const php = async (...args: string[]) => (await run('php', [SUBMIT, root, ...args])).stdout;
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return {
    root,
    databaseName: DATABASE,
    databaseUrl: `mysql://${user}:${password}@${host}:${port}/${DATABASE}`,
    config: {
      host,
      port,
      socketPath: null,
      user,
      password: new Secret(password),
      database: DATABASE,
      tls: {mode: 'off', caFile: null},
    },
    timezone: config.timezone.value,
    gearman,
    prefix,
    functionName: (jobClass) => `${prefix}-${jobClass}`,
    env,
    query,
    insertJob: (job = {}) => insertJob(connection, {userId: admin!.id, ...job}),
    seedJobs: (count) => seedJobs(connection, count),
    onDrop: (action) => {
      actions.push(action);
    },
    drop: async () => {
      for (const action of actions) await action();
      await deleteJobs();
      await connection.end();
    },
    isSince27: major > 2 || minor >= 7,
    userId: admin!.id,
    submit: async (jobClass, parameters) => {
      const stands = await Promise.all(gearman.map((at) => standBy(at, `${prefix}-${jobClass}`)));
      const id = await php(String(admin!.id), jobClass, JSON.stringify(parameters));
      for (const leave of stands) leave();
      return Number(id);
    },
    backdateConfiguration: () => backdate(root),
    exportCsv: () => php(String(admin!.id), 'export'),
    holdImports: async () => {
      const holder = await open();
      await holder.query('START TRANSACTION');
      // A new description refers to its parent, and so waits for the lock of the root's row. Submitting a job does not.
      await holder.query('SELECT id FROM information_object WHERE id = ? FOR UPDATE', [ROOT_DESCRIPTION]);
      const release = () => holder.end().catch(() => {});
      actions.push(release);
      return release;
    },
    atomctl,
  };
}

/** AtoM refuses to submit a job that no worker has registered for: registers for it, and takes nothing. */
async function standBy(endpoint: string, gearmanFunction: string): Promise<() => void> {
  const connection = await connectGearman(endpoint);
  connection.send(TYPE.CAN_DO, gearmanFunction);
  connection.send(TYPE.ECHO_REQ, 'registered?');
  await connection.receive();
  return () => connection.close();
}

/** Leaves the worker types. The application's file, written for each site, would only add to the project's servers. */
function removeServers(gearmanYml: string): void {
  const text = readFileSync(gearmanYml, 'utf8');
  writeFileSync(gearmanYml, text.replace(/^( +)servers:.*\n(?:\1 +.*\n|\s*\n)*/m, ''));
}

function configure(root: string, gearman: readonly string[]): void {
  const servers = gearman.map((endpoint, index) => `    server${index + 1}: ${endpoint}\n`);
  writeFileSync(join(root, 'apps/qubit/config/gearman.yml'), `all:\n  servers:\n${servers.join('')}`);
  // What earlier sites have left: a compiled configuration, and their workers' output.
  for (const directory of ['cache', 'sandbox']) {
    rmSync(join(root, directory), {recursive: true});
    mkdirSync(join(root, directory));
  }
}

function backdate(root: string): void {
  for (const directory of ['config', 'apps/qubit/config', 'cache']) {
    for (const path of ['', ...readdirSync(join(root, directory), {recursive: true, encoding: 'utf8'})])
      utimesSync(join(root, directory, path), LONG_AGO, LONG_AGO);
  }
}

async function copyDatabase(source: string, {socketPath}: MariadbConnection): Promise<void> {
  const config = await readConfigPhp(source, {env: process.env});
  if (!config?.database) throw new Error(`${source}/config/config.php names no database.`);
  const own = ['--no-defaults', `--socket=${socketPath}`, '--user=root'];
  await run('mariadb', [...own, `--execute=CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`]);
  const login = [
    '--no-defaults',
    `--host=${config.host ?? 'localhost'}`,
    ...(config.port ? [`--port=${config.port}`] : []),
    ...(config.socketPath ? [`--socket=${config.socketPath}`] : []),
    `--user=${config.user ?? 'root'}`,
    '--single-transaction',
    '--skip-lock-tables',
    '--no-tablespaces',
    config.database,
  ];
  const dump = spawn('mariadb-dump', login, {
    env: {...process.env, MYSQL_PWD: config.password?.reveal() ?? ''},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const load = spawn('mariadb', [...own, DATABASE], {stdio: ['pipe', 'inherit', 'inherit']});
  dump.stdout.pipe(load.stdin);
  const codes = await Promise.all(
    [dump, load].map((child) => new Promise((resolve) => child.once('close', resolve))),
  );
  if (codes.some((code) => code !== 0)) throw new Error('The database could not be copied.');
}

function configPhp({host, port, user, password}: MariadbConnection): string {
  const parameters = {
    encoding: 'utf8mb4',
    dsn: `mysql:dbname=${DATABASE};host=${host};port=${port}`,
    username: user,
    password,
  };
  const texts = Object.entries(parameters).map(([key, value]) => `'${key}' => '${value}',`);
  const lines = [...texts, "'persistent' => true,", "'pooling' => true,"];
  return `<?php return ['all' => ['propel' => ['class' => 'sfPropelDatabase', 'param' => [${lines.join(' ')}]]]];\n`;
}
