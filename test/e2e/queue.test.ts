import {execFileSync} from 'node:child_process';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {
  type AtomSite,
  createSite,
  freePort,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  startWorker,
  submitBackground,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';

const CLASSES = ['arFindingAidJob', 'arFileImportJob'];
const OTHER_SITE = `${'f'.repeat(32)}-arObjectMoveJob`;

let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;
let closed: string;
/** Another site's, which takes nothing. */
let otherWorker: Awaited<ReturnType<typeof connectGearman>>;

beforeAll(async () => {
  gearmand = await startGearmand();
  closed = `127.0.0.1:${await freePort()}`;
  site = await createSite({gearman: [gearmand.endpoint], workerTypes: {general: CLASSES}});
  worker = await startWorker(site);
  await submitBackground(gearmand.endpoint, OTHER_SITE, 'key', '{}');
  otherWorker = await connectGearman(gearmand.endpoint);
  otherWorker.send(TYPE.CAN_DO, OTHER_SITE);
});

afterAll(async () => {
  otherWorker?.close();
  await worker?.stop();
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

const atomctl = (...args: string[]) => runAtomctl(args, {env: site.env});

test('a healthy queue: exit 0, for both spellings, and JSON in its documented shape', async () => {
  const [colon, space] = await Promise.all([atomctl('queue:status', '--json'), atomctl('queue', 'status')]);
  expect([colon.code, space.code, colon.stderr, space.stderr]).toEqual([0, 0, '', '']);
  const ours = {prefix: site.prefix, thisSite: true, queued: 0, running: 0, workers: 1};
  expect(JSON.parse(colon.stdout)).toEqual({
    status: 'ok',
    problems: [],
    servers: [
      {address: gearmand.endpoint, reachable: true, version: expect.stringMatching(/^1\.1/), error: null},
    ],
    functions: [
      {function: site.functionName('arFileImportJob'), jobClass: 'arFileImportJob', ...ours},
      {function: site.functionName('arFindingAidJob'), jobClass: 'arFindingAidJob', ...ours},
    ],
  });
  expect(space.stdout).toMatch(/^Status: ok\n/);
  expect(space.stdout).toMatch(/^arFindingAidJob +0 +0 +1$/m);
  expect(space.stdout).not.toContain('arObjectMoveJob');
});

test("--all-functions shows other sites' functions by their prefix", async () => {
  const {stdout} = await atomctl('queue:status', '--all-functions');
  expect(stdout).toMatch(/^arObjectMoveJob +f{32} +1 +0 +1$/m);
  expect(stdout).toMatch(/^arFindingAidJob +this site +0 +0 +1$/m);
});

test('a problem has one exit status for scripts and another for plugins', async () => {
  const old = await site.insertJob({status: 'running', startedAt: '2020-01-01 00:00:00'});
  const servers = ['--gearman', `${closed},${gearmand.endpoint}`];
  const noDatabase = ['--database-url', `mysql://nobody:secret@${closed}/${site.databaseName}`];
  const runs: [args: string[], code: number, problem: RegExp][] = [
    [['--warning-age', '1d', '--nagios'], 1, /oldest running job/],
    [['--critical-age', '1d', '--warning-age', '1h', '--nagios'], 2, /oldest running job/],
    [['--require-worker', 'arMyJob', '--nagios'], 2, /arMyJob has no worker/],
    [[...servers, '--warning-age', '1d', '--nagios'], 2, /cannot be reached.*oldest running job/s],
    [['--function-prefix', '0'.repeat(32)], 1, new RegExp(site.prefix)],
    [['--gearman', closed], 3, /cannot be reached/],
    [noDatabase, 1, /^Status: unknown\n {2}unknown: .*connection refused.*\n {4}Fix: atomctl doctor/],
    [[...noDatabase, '--nagios'], 3, /connection refused/],
    [[...noDatabase, '--no-database'], 0, /^Status: ok/],
  ];
  const results = await Promise.all(runs.map(([args]) => atomctl('queue:status', ...args)));
  for (const [index, [args, code, problem]] of runs.entries()) {
    const {stdout, stderr, code: status} = results[index]!;
    expect([args, status, stderr]).toEqual([args, code, '']);
    expect(stdout).toMatch(problem);
    expect(stdout).not.toContain('secret');
    if (args.includes('--nagios')) {
      expect(stdout).toMatch(/^ATOM QUEUE (WARNING|CRITICAL|UNKNOWN): [^|\n]+ \| [^|\n]+\n$/);
    }
  }
  await site.query('UPDATE job SET status_id = 185 WHERE id = ?', [old]);
});

test('a usage error is exit 2 for scripts, and unknown for a plugin', async () => {
  const runs = [
    ['--critical-queued', 'many'],
    ['--warning-age', 'soon'],
    ['--no-database', '--warning-age', '1d'],
  ];
  await Promise.all(
    runs.map(async (args) => {
      const plain = await atomctl('queue:status', ...args);
      const nagios = await atomctl('queue:status', ...args, '--nagios');
      expect([args, plain.code, plain.stdout, nagios.code, nagios.stderr]).toEqual([args, 2, '', 3, '']);
      expect(nagios.stdout).toMatch(/^ATOM QUEUE UNKNOWN: .+\n$/);
    }),
  );
});

test('the metrics pass promtool', async () => {
  const {stdout, code} = await atomctl('queue:status', '--prometheus', '--all-functions');
  expect(code).toBe(0);
  expect(stdout).toContain(`gearman_up{server="${gearmand.endpoint}"} 1\n`);
  expect(stdout).toContain(
    `gearman_function_queued{function="${OTHER_SITE}",job_class="arObjectMoveJob"} 1\n`,
  );
  expect(stdout).toMatch(/^atom_job_oldest_running_seconds \d+$/m);
  expect(stdout).toContain('atom_queue_problems{state="warning"} 0\n');
  expect(promtool(stdout)).toBe('');
});

test('--wait polls until the worker is connected', async () => {
  const absent = await createSite({gearman: [gearmand.endpoint], workerTypes: {general: CLASSES}});
  try {
    const waiting = runAtomctl(['queue:status', '--wait', '60', '--no-database'], {env: absent.env});
    const late = await startWorker(absent);
    expect((await waiting).code).toBe(0);
    await late.stop();
    const after = await runAtomctl(['queue:status', '--wait', '0.1', '--no-database'], {env: absent.env});
    expect(after.code).toBe(1);
    expect(after.stdout).toMatch(/No worker of this site/);
  } finally {
    await absent.drop();
  }
});

test('queue:workers shows the connected workers; a server that is down is reported on stderr', async () => {
  const both = ['--gearman', `${closed},${gearmand.endpoint}`];
  const [json, text, down] = await Promise.all([
    atomctl('queue:workers', '--json'),
    atomctl('queue:workers', ...both),
    atomctl('queue:workers', '--gearman', closed),
  ]);
  const ours = JSON.parse(json.stdout).workers.filter(({thisSite}: {thisSite: boolean}) => thisSite);
  expect(ours).toEqual([
    {
      id: expect.stringMatching(`^pid_${worker.pid}_`),
      pid: worker.pid,
      ip: '127.0.0.1',
      prefix: site.prefix,
      thisSite: true,
      abilities: ['arFileImportJob', 'arFindingAidJob'],
      servers: [gearmand.endpoint],
      executes: null,
      mayExecute: [],
    },
  ]);
  expect([json.code, text.code, down.code]).toEqual([0, 1, 3]);
  expect(text.stdout).toMatch(
    new RegExp(`^ *${worker.pid} +127\\.0\\.0\\.1 +this site +arFileImportJob arFindingAidJob +pid_`, 'm'),
  );
  expect(text.stderr).toMatch(/cannot be reached/);
});

test('escape sequences in a function name are not printed on a terminal', async () => {
  const hostile = `\u001b]0;owned\u0007${'e'.repeat(32)}`;
  await submitBackground(gearmand.endpoint, hostile, 'key', '{}');
  for (const format of [[], ['--prometheus'], ['--json']]) {
    const {stdout} = await runAtomctl(['queue:status', '--all-functions', ...format], {
      env: {...site.env, FORCE_COLOR: '1'},
    });
    expect(stdout).toContain('owned');
    expect(stdout).not.toMatch(/\u001b\]|\u0007/);
  }
});

/** promtool's complaints about metrics; empty if there are none or it is not installed. */
function promtool(metrics: string): string {
  try {
    execFileSync('promtool', ['check', 'metrics'], {input: metrics, stdio: 'pipe'});
    return '';
  } catch (error) {
    const {code, stdout, stderr} = error as {code?: string; stdout: Buffer; stderr: Buffer};
    if (code !== 'ENOENT') return `${stdout}${stderr}`;
    console.warn('promtool is not installed: the metrics were not validated.');
    return '';
  }
}
