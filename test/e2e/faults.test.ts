import {execFile, spawn} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:net';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, expect, inject, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {
  ATOM_PASSWORD,
  ATOMCTL,
  type AtomSite,
  cleanEnvironment,
  commandLine,
  createScratch,
  createSite,
  freePort,
  type GearmanProcess,
  type RunResult,
  runAtomctl,
  startGearmand,
} from '../support/sandbox.ts';

/** Far longer than any --timeout here, also on a busy machine. */
const BOUND_MS = 25_000;

let site: AtomSite;
let gearmand: GearmanProcess;
/** Accepts connections and sends nothing. */
let silent: Server;
let silentPort: number;
let closedPort: number;
let scratch: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  silentPort = (silent.address() as {port: number}).port;
  closedPort = await freePort();
  scratch = createScratch('faults');
});

afterAll(async () => {
  silent?.close();
  await Promise.all([site?.drop(), gearmand?.stop()]);
});

/** Runs with --timeout 1 unless the arguments have one, and fails if that does not end it. */
async function atomctl(args: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`${args.join(' ')} did not end`)), BOUND_MS).unref(),
  );
  const result = await Promise.race([runAtomctl(args, {env: {ATOMCTL_TIMEOUT: '1', ...env}}), late]);
  for (const secret of [ATOM_PASSWORD, 'wrong-secret', encodeURIComponent('wrong secret/ü')]) {
    expect(result.stdout + result.stderr).not.toContain(secret);
  }
  return result;
}

const SENTENCE = /^Error: [^\n]+\.\n$/;

test('each fault of the database is one sentence and exit 3, in text and in JSON', async () => {
  const {host, port, user} = site.config;
  const password = site.config.password.reveal();
  const url = (place: string, database = 'atom', login = 'u:wrong-secret') =>
    `mysql://${login}@${place}/${database}`;
  const known = `${user}:${password}`;
  const server = `${host}:${port}`;
  const faults: [string, string, RegExp][] = [
    [
      url(server, site.databaseName, `${user}:wrong-secret`),
      'DATABASE_LOGIN_REFUSED',
      /refused the login of "atom" with a password/,
    ],
    [url(server, 'atom_nowhere', known), 'DATABASE_UNKNOWN', /no database "atom_nowhere"/],
    [
      url(server, 'elsewhere', known),
      'DATABASE_LOGIN_REFUSED',
      /no database "elsewhere" for the user "atom"/,
    ],
    [url(`127.0.0.1:${closedPort}`), 'DATABASE_UNREACHABLE', /connection refused/],
    [url('nowhere.invalid'), 'DATABASE_UNREACHABLE|DATABASE_TIMEOUT', /nowhere\.invalid/],
    [url(`127.0.0.1:${silentPort}`), 'DATABASE_TIMEOUT', /within 1 s/],
    [url(gearmand.endpoint), 'DATABASE_TIMEOUT', /within 1 s/],
    [`${url('')}?socketPath=${scratch}/none.sock`, 'DATABASE_UNREACHABLE', /no MySQL socket at/],
  ];
  // If a live server answers, the timeout is longer, for a busy machine.
  const results = await fewAtATime(faults, ([databaseUrl, code]) =>
    atomctl(['jobs:list', '--json', '--database-url', databaseUrl], {
      ATOMCTL_TIMEOUT: code.includes('TIMEOUT') ? '1' : '15',
    }),
  );
  for (const [index, [, code, message]] of faults.entries()) {
    const {code: status, stdout, stderr} = results[index]!;
    const {error} = JSON.parse(stdout);
    expect([status, stderr, error]).toEqual([
      3,
      '',
      {
        code: expect.stringMatching(`^(${code})$`),
        message: expect.stringMatching(message),
        hint: expect.any(String),
      },
    ]);
  }
  const commands = [
    ['jobs:show', '1'],
    ['jobs:export-csv'],
    ['jobs:clear', '-y'],
    ['jobs:kill', '1', '-y'],
    ['jobs:list'],
  ];
  const texts = await fewAtATime(commands, (args) => atomctl([...args, '--database-url', faults[3]![0]]));
  for (const {code, stdout, stderr} of texts) {
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(SENTENCE);
  }
});

test('DEBUG prints no password, from whatever source', async () => {
  const refused = `127.0.0.1:${closedPort}`;
  const optionFile = join(scratch, 'client.cnf');
  writeFileSync(
    optionFile,
    `[client]\nhost=127.0.0.1\nport=${closedPort}\nuser=u\npassword=wrong-secret\ndatabase=d\n`,
  );
  const moved = {...site.env, ATOM_MYSQL_DSN: `mysql:host=127.0.0.1;port=${closedPort};dbname=d`};
  const runs: [string[], Record<string, string>, number][] = [
    [['--database-url', `mysql://u:${encodeURIComponent('wrong secret/ü')}@${refused}/d`], {}, 3],
    [[], {ATOMCTL_DATABASE_URL: `mysql://u:wrong-secret@${refused}/d`}, 3],
    [['--defaults-file', optionFile], {}, 3],
    [[], {...moved, ATOM_MYSQL_USERNAME: 'u', ATOM_MYSQL_PASSWORD: 'wrong-secret'}, 3],
    [['--database-url', `mysql://nobody@${refused}/d`, '--columns', 'none'], site.env, 2],
    [['--database-url', 'mysql://u:wrong-secret@'], {}, 2],
    [['--unknown', `mysql://u:wrong-secret@${refused}/d`], {}, 2],
    [['--id', '1', '--no-live'], {...site.env, ATOMCTL_TIMEOUT: '15'}, 0],
  ];
  const results = await fewAtATime(runs, ([args, env]) =>
    atomctl(['jobs:list', ...args], {...env, DEBUG: '*'}),
  );
  for (const [index, [args, , code]] of runs.entries()) {
    expect([args, results[index]!.code]).toEqual([args, code]);
    if (code !== 0) expect(results[index]!.stderr).toMatch(/\n {4}at /);
  }
});

test('the process list does not show the password after the start', async () => {
  const url = `mysql://u:wrong-secret@127.0.0.1:${silentPort}/d`;
  const child = spawn(...commandLine(['jobs:list', '--timeout', '30', '--database-url', url]), {
    env: cleanEnvironment(),
    stdio: 'ignore',
  });
  try {
    await once(silent, 'connection');
    expect(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')).not.toContain('wrong-secret');
  } finally {
    child.kill();
  }
});

test('each fault of a Gearman server is one sentence and exit 3', async () => {
  const {port} = inject('mariadb');
  const faults: [string, RegExp][] = [
    [`127.0.0.1:${closedPort}`, /cannot be reached: connection refused/],
    [`127.0.0.1:${silentPort}`, /did not answer "status" within 1 s/],
    [`127.0.0.1:${port}`, /does not speak the Gearman protocol/],
    ['nowhere.invalid', /nowhere\.invalid:4730/],
  ];
  for (const [gearman, message] of faults) {
    const [status, workers] = await Promise.all([
      atomctl(['queue:status', '--no-database', '--json', '--gearman', gearman], site.env),
      atomctl(['queue:workers', '--gearman', gearman], site.env),
    ]);
    const {status: verdict, problems, servers} = JSON.parse(status.stdout);
    expect([status.code, verdict, problems.length, servers[0].reachable]).toEqual([3, 'critical', 1, false]);
    expect(problems[0].message).toMatch(message);
    expect(workers.code).toBe(3);
    expect(workers.stderr).toMatch(message);
    expect(workers.stderr).toMatch(/^[^\n]+\n$/);
  }
});

test('a silent name server does not delay a command beyond the timeout', async (context) => {
  const nameServer = createSocket('udp4');
  const resolvConf = join(scratch, 'resolv.conf');
  writeFileSync(resolvConf, 'nameserver 127.0.0.77\n');
  const inNamespace = (script: string, env = {}) =>
    promisify(execFile)(
      'unshare',
      ['--mount', 'sh', '-c', `mount --bind ${resolvConf} /etc/resolv.conf && ${script}`],
      {
        env: cleanEnvironment(env),
        // The resolver's own timeout is ten seconds.
        timeout: 8000,
        killSignal: 'SIGKILL',
      },
    );
  try {
    await new Promise<void>((resolve, reject) =>
      nameServer.once('error', reject).bind(53, '127.0.0.77', resolve),
    );
    await inNamespace('true');
  } catch {
    nameServer.close();
    context.skip('only root may give a process a name server of its own');
  }
  try {
    const url = 'mysql://u:wrong-secret@nowhere.invalid/d';
    const ended = await inNamespace(`exec ${ATOMCTL.join(' ')} jobs:list`, {
      ATOMCTL_DATABASE_URL: url,
      ATOMCTL_TIMEOUT: '1',
    }).catch((error) => error);
    expect([ended.code, ended.stdout]).toEqual([3, '']);
    expect(ended.stderr).toMatch(/^Error: [^\n]*nowhere\.invalid[^\n]+\n$/);
  } finally {
    nameServer.close();
  }
});
