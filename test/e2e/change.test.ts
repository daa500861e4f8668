/** Changes run one at a time under the site's lock, and are in the audit log. */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, expect, test} from 'vitest';
import {takeNamedLock} from '../../src/mysql/named-lock.ts';
import {
  ATOM_PASSWORD,
  type AtomSite,
  createScratch,
  createSite,
  runAtomctl,
  startAtomctl,
  until,
} from '../support/sandbox.ts';
import {isDeleting} from '../support/site/is-deleting.ts';

let site: AtomSite;
let scratch: string;
let log: string;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

afterEach(() => site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

function records(): Record<string, unknown>[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

beforeAll(() => {
  scratch = createScratch('change');
  log = join(scratch, 'audit.log');
});

/** Blocks every deletion of a job until the returned function is called. */
async function holdUp(id: number): Promise<() => Promise<unknown>> {
  await site.query('START TRANSACTION; SELECT id FROM job WHERE id = ? FOR UPDATE', [id]);
  return () => site.query('COMMIT');
}

const CLEAR = ['jobs:clear', '--yes', '--keep-queue'];

test('of twenty clears at once one runs and nineteen are refused; every row is deleted once', {
  timeout: 60_000,
}, async () => {
  const first = await site.seedJobs(300);
  const letGo = await holdUp(first + 150);
  const env = {...site.env, ATOMCTL_AUDIT_LOG: log};
  const runs = Array.from({length: 20}, () =>
    startAtomctl([...CLEAR, '--batch-size', '100', '--json'], {env}),
  );
  let ended = 0;
  for (const {ended: end} of runs) void end.then(() => ended++);
  await until(() => ended >= 19);
  await letGo();
  const results = await Promise.all(runs.map((run) => run.ended));

  const done = results.filter(({code}) => code === 0);
  const refused = results.filter(({code}) => code === 5);
  expect([done.length, refused.length]).toEqual([1, 19]);
  const winner = runs[results.indexOf(done[0]!)]!.child.pid;
  for (const {stdout} of refused) {
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(
        new RegExp(`jobs:clear by ${userInfo().username}@${hostname()}, process ${winner}, since 20`),
      ),
    });
  }
  expect(JSON.parse(done[0]!.stdout).cleared).toBe(300);
  expect(await site.query('SELECT COUNT(*) AS jobs FROM job')).toEqual([{jobs: 0}]);
  expect(records()).toMatchObject([
    {command: 'jobs:clear', pid: winner, result: {cleared: 300, error: null}},
  ]);
});

test('a killed run releases the lock; kill and clear exclude each other', async () => {
  const id = await site.insertJob({status: 'running'});
  // One that has begun is not locked before it is deleted.
  await site.query("UPDATE job SET output = '[info] Job started.' WHERE id = ?", [id]);
  const letGo = await holdUp(id);
  const run = startAtomctl(CLEAR, {env: site.env});
  // It now has the site's lock.
  await until(() => isDeleting(site));
  const kill = () => runAtomctl(['jobs:kill', String(id), '--yes', '--force', '--json'], {env: site.env});
  expect(JSON.parse((await kill()).stdout).error?.code).toBe('LOCKED');
  run.child.kill('SIGKILL');
  await run.ended;
  await letGo();
  await until(async () => (await kill()).code === 0);
  expect(await site.query('SELECT status_id FROM job WHERE id = ?', [id])).toEqual([{status_id: 185}]);
});

test('the audit log has a line for each change with user and result, no password, and mode 0600', async () => {
  const file = join(scratch, 'own.log');
  const [lost, gone] = [await site.insertJob({status: 'running'}), await site.insertJob({status: 'running'})];
  const finished = await site.insertJob();
  const args = ['--yes', '--force', '--delete', '--reason', 'tidy \u009b "up"', '--audit-log', file];
  const env = {SUDO_USER: 'alice', ATOMCTL_DATABASE_URL: site.databaseUrl};
  const ids = [lost, gone, 999_999_999].map(String);
  expect((await runAtomctl(['jobs:kill', ...ids, ...args], {env})).code).toBe(1);
  expect((await runAtomctl([...CLEAR, '--dry-run', '--audit-log', file], {env})).code).toBe(0);
  expect((await runAtomctl([...CLEAR, '--id', String(finished), '--audit-log', file], {env})).code).toBe(0);

  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain(ATOM_PASSWORD);
  expect(text).not.toContain('\u009b');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const common = {
    at: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
    user: userInfo().username,
    sudoUser: 'alice',
    host: hostname(),
    pid: expect.any(Number),
    site: null,
    database: `${site.databaseName} at ${site.config.host}:${site.config.port}`,
  };
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const killed = (job: number) => ({
    ...common,
    command: 'jobs:kill',
    what: {job, was: expect.any(String), reason: 'tidy \u009b "up"'},
    result: {action: 'deleted', gearman: expect.any(String), message: expect.stringContaining(String(job))},
  });
  expect(lines).toEqual([
    killed(lost),
    killed(gone),
    {
      ...common,
      command: 'jobs:clear',
      what: {filter: {ids: [finished]}, jobs: 1},
      result: {
        cleared: 1,
        byStatus: {running: 0, completed: 1, error: 0, unknown: 0},
        queueRemoved: 0,
        downloadsDeleted: 0,
        exported: null,
        workersAsked: false,
        interruptedJobs: [],
        interrupted: false,
        error: null,
      },
    },
  ]);
});

test.each<[string, (path: string) => unknown]>([
  ['S11: a pipe', (path) => execFileSync('mkfifo', [path])],
  ['S6: a link to a file', (path) => symlinkSync(log, path)],
  ['a directory', (path) => mkdirSync(path)],
])('%s as the audit log is refused before anything is changed', async (_what, make) => {
  const path = join(createScratch('refused'), 'log');
  make(path);
  const id = await site.insertJob();
  const {code, stdout, stderr} = await runAtomctl([...CLEAR, '--audit-log', path], {env: site.env});
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(
    /^Error: .*log is (not )?a .*\. Give a regular file or a new file name\. Nothing was changed\.\n$/,
  );
  expect(await site.query('SELECT id FROM job')).toEqual([{id}]);
});

test('S10: only to root SUDO_USER says who called sudo', async ({skip}) => {
  skip(process.geteuid!() !== 0, 'only root can run as another user');
  const id = await site.insertJob({status: 'completed'});
  const env = {
    ...site.env,
    ATOMCTL_DATABASE_URL: site.databaseUrl,
    ATOMCTL_ROOT: '',
    SUDO_USER: 'director',
  };
  const args = ['jobs:mark', String(id), '--as', 'error', '--yes', '--reason', 'x'];
  expect((await runAtomctl(args, {env, uid: 33})).code).toBe(0);
  const [note] = await site.query<{content: string}>(
    'SELECT content FROM note_i18n ORDER BY id DESC LIMIT 1',
  );
  expect(note!.content).toMatch(/ by www-data@|by uid 33@/);
  expect(note!.content).not.toContain('director');
});

test.each([
  ['the same path', (path: string) => path],
  ['another path', (path: string) => join(path, '..', '.', 'log')],
  ['a link', (path: string) => linked(path, symlinkSync)],
  ['a second name', (path: string) => linked(path, linkSync)],
])('the export is the audit log by %s: refused, and nothing is changed', async (_, name) => {
  const path = join(createScratch('same'), 'log');
  writeFileSync(path, 'a line of last year\n', {mode: 0o600});
  const id = await site.insertJob();
  const args = ['--export', name(path), '--force', '--audit-log', path];
  const {code, stdout, stderr} = await runAtomctl([...CLEAR, ...args], {env: site.env});
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Error: --export and the audit log are the same file: .*Nothing was changed\.\n$/s);
  expect(readFileSync(path, 'utf8')).toBe('a line of last year\n');
  expect(await site.query('SELECT id FROM job')).toEqual([{id}]);
});

function linked(path: string, make: (target: string, path: string) => void): string {
  make(path, `${path}.too`);
  return `${path}.too`;
}

test('a log that is not there yet and the export are one file: refused, and no file is made', async () => {
  const path = join(createScratch('same'), 'log');
  await site.insertJob();
  const {code} = await runAtomctl([...CLEAR, '--export', path, '--audit-log', path], {env: site.env});
  expect([code, existsSync(path)]).toEqual([2, false]);
});

/** A clear of one job, and what happens to its log before the job is gone. */
async function amidClear(work: () => void, path: string) {
  const letGo = await holdUp(await site.insertJob());
  const run = startAtomctl([...CLEAR, '--audit-log', path], {env: site.env});
  await until(() => existsSync(path));
  work();
  await letGo();
  return run.ended;
}

test('logrotate moves the audit log during a clear: the line is in the new file', async () => {
  const path = join(createScratch('rotated'), 'log');
  const {code} = await amidClear(() => renameSync(path, `${path}.1`), path);
  expect([code, readFileSync(`${path}.1`, 'utf8')]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({command: 'jobs:clear', result: {cleared: 1}});
});

test('what has the name of the log after a clear is refused: a warning has the line', async () => {
  const path = join(createScratch('rotated'), 'log');
  const {code, stderr} = await amidClear(() => {
    renameSync(path, `${path}.1`);
    symlinkSync(`${path}.1`, path);
  }, path);
  expect([code, readFileSync(`${path}.1`, 'utf8')]).toEqual([0, '']);
  expect(stderr).toMatch(/Warning: This change may be missing in the audit log: .* is a symbolic link\./);
  expect(stderr).toMatch(/The log should have: \{"at":.*"command":"jobs:clear".*"cleared":1/);
});

test('without a file the lines go to logger, complete, by its stdin', async () => {
  const bin = join(scratch, 'bin');
  const heard = join(scratch, 'heard');
  mkdirSync(bin);
  writeFileSync(join(bin, 'logger'), `#!/bin/sh\necho "$@" >${heard}.args\ncat >${heard}\n`);
  chmodSync(join(bin, 'logger'), 0o755);
  const id = await site.insertJob({status: 'running'});
  const reason = 'x'.repeat(3000);
  const env = {...site.env, ATOMCTL_AUDIT_LOG: '', PATH: `${bin}:${process.env.PATH}`};
  const {code} = await runAtomctl(['jobs:kill', String(id), '--yes', '--force', '--reason', reason], {env});
  expect(code).toBe(0);
  const lines = readFileSync(heard, 'utf8').split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0]!)).toMatchObject({command: 'jobs:kill', what: {job: id, reason}});
  expect(readFileSync(`${heard}.args`, 'utf8')).not.toContain('jobs:kill');
});

test('doctor --fix takes the lock too, and is in the audit log', async () => {
  const file = join(scratch, 'fixed.log');
  const orphan = await site.insertJob();
  await site.query('DELETE FROM job WHERE id = ?', [orphan]);
  const fix = () =>
    runAtomctl(['doctor', '--fix', '--yes', '--check', 'orphans', '--audit-log', file, '--json'], {
      env: site.env,
    });
  const name = `atomctl:${createHash('md5').update(site.databaseName).digest('hex')}`;
  const lock = await takeNamedLock(site.config, {name, holder: 'a test', timeoutSeconds: 5});
  const refused = await fix();
  expect([refused.code, refused.stderr + refused.stdout]).toEqual([5, expect.stringContaining('by a test')]);
  expect(readFileSync(file, 'utf8')).toBe('');
  if (lock.taken) await lock.release();
  expect((await fix()).code).toBe(0);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    command: 'doctor',
    what: {remedy: expect.any(String)},
    result: {count: 1, error: null},
  });
});
