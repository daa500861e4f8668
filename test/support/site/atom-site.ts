import {randomBytes} from 'node:crypto';
import {mkdirSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type Connection, createConnection} from 'mysql2/promise';
import type {DatabaseConfig} from '../../../src/mysql/database.ts';
import {Secret} from '../../../src/secret.ts';
import {createScratch} from '../scratch.ts';
import type {MariadbConnection} from '../servers/mariadb.ts';
import {type InsertJob, insertJob, seedJobs} from './atom-jobs.ts';
import {functionPrefix, WORKER_CLASSES, writeAtomRoot} from './atom-root.ts';

export interface AtomSiteOptions {
  /** The last part of the root directory's path. Default `atom`. */
  name?: string;
  /** Default America/Los_Angeles: the rules of America/Vancouver, AtoM's default, changed in 2026, and zone data differ. */
  timezone?: string;
  /** AtoM's version. Default 2.8.2; 2.6.4 is the last of those that log no parameters. */
  version?: string;
  workersKey?: string | null;
  /** `host:port` of each Gearman server. Default: a port on which nothing answers. */
  gearman?: readonly string[];
  /** gearman.yml's worker_types. Default: all stock classes as `general`. */
  workerTypes?: Readonly<Record<string, readonly string[]>>;
}

/** An AtoM installation of our own: a database with AtoM's schema and a root directory with AtoM's files. */
export interface AtomSite {
  root: string;
  databaseName: string;
  databaseUrl: string;
  config: DatabaseConfig;
  timezone: string;
  gearman: readonly string[];
  /** `md5(root . workers_key)`, what AtoM puts before the dash of its function names. */
  prefix: string;
  /** `PREFIX-arSomeJob`, the name by which Gearman knows a job class of this site. */
  functionName(jobClass: string): string;
  /** What a shell must have set for atomctl to find this site. */
  env: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it selected
  query<T = any>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** Inserts a job as AtoM does, with its notes and properties, and returns its id. */
  insertJob(job?: InsertJob): Promise<number>;
  /** Inserts many finished jobs fast; every third has a note. Returns the first id. */
  seedJobs(count: number): Promise<number>;
  /** Calls this before the site is dropped. */
  onDrop(action: () => void): void;
  /** Ends what is left of the site's workers and removes the database and the root directory. */
  drop(): Promise<void>;
}

const SILENT_PORT = '127.0.0.1:9';

/** Creates a site on the given server. */
export async function createAtomSite(
  server: MariadbConnection,
  options: AtomSiteOptions = {},
): Promise<AtomSite> {
  const {name = 'atom', timezone = 'America/Los_Angeles', version = '2.8.2'} = options;
  const {workersKey = null, gearman = [SILENT_PORT]} = options;
  const databaseName = `atom_${randomBytes(5).toString('hex')}`;
  const connection = await createDatabase(server, databaseName);
  const directory = join(createScratch('site'), name);
  mkdirSync(directory);
  const workerTypes = options.workerTypes ?? {general: stockClasses(version)};
  const root = await writeAtomRoot(directory, {
    server,
    databaseName,
    gearman,
    timezone,
    version,
    workersKey,
    workerTypes,
  });
  const prefix = functionPrefix(root, workersKey);
  const actions: (() => void)[] = [];
  const config: DatabaseConfig = {
    host: server.host,
    port: server.port,
    socketPath: null,
    user: server.user,
    password: new Secret(server.password),
    database: databaseName,
    tls: {mode: 'off', caFile: null},
  };
  return {
    root,
    databaseName,
    databaseUrl: `mysql://${server.user}:${server.password}@${server.host}:${server.port}/${databaseName}`,
    config,
    timezone,
    gearman,
    prefix,
    functionName: (jobClass) => `${prefix}-${jobClass}`,
    env: {ATOMCTL_ROOT: root},
    query: async <T>(sql: string, values: readonly unknown[] = []) =>
      (await connection.query(sql, [...values]))[0] as T[],
    insertJob: (job = {}) => insertJob(connection, job),
    seedJobs: (count) => seedJobs(connection, count),
    onDrop: (action) => {
      actions.push(action);
    },
    drop: async () => {
      for (const action of actions) action();
      await connection.query(`DROP DATABASE ${databaseName}`);
      await connection.end();
      await rm(directory, {recursive: true, force: true});
    },
  };
}

function stockClasses(version: string): string[] {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const isSince27 = major > 2 || minor >= 7;
  return WORKER_CLASSES.filter((jobClass) => jobClass !== 'arValidateCsvJob' || isSince27);
}

async function createDatabase(server: MariadbConnection, databaseName: string): Promise<Connection> {
  const connection = await createConnection({
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    charset: 'utf8mb4_unicode_ci',
    dateStrings: true,
    multipleStatements: true,
  });
  // Where a test ends the server under it, the next query says so.
  connection.on('error', () => {});
  await connection.query(`CREATE DATABASE ${databaseName}; USE ${databaseName}`);
  for (const script of ['atom-schema.sql', 'atom-seed.sql']) {
    await connection.query(await readFile(new URL(script, import.meta.url), 'utf8'));
  }
  return connection;
}
