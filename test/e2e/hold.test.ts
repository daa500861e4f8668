import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {startAtomctl} from '../support/atomctl/start-atomctl.ts';
import {expectSchema} from '../support/json-schema.ts';
import {createScratch, runAtomctl, until} from '../support/sandbox.ts';
import {executeJob, handedOut, submitJobs} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const PLAIN = 'arFindingAidJob';

const {at} = await useQueueSite();
const directory = createScratch('queue-hold');

const env = () => ({...at.site.env, SUDO_USER: ''});
const hold = (...args: string[]) => runAtomctl(['queue:hold', ...args], {env: env()});
const isIdle = async () => (await at.server.status()).every(({running}) => running === 0);

/** A hold whose command waits until the file is there. */
async function startHold(...flags: string[]) {
  const ready = join(directory, `${Math.random()}`);
  const end = `${ready}-end`;
  const script = `trap 'exit 9' TERM; : > ${ready}; while [ ! -e ${end} ]; do sleep 0.05; done`;
  const started = startAtomctl(['queue:hold', ...flags, '--', 'sh', '-c', script], {env: env()});
  await until(() => existsSync(ready));
  return {...started, release: () => writeFileSync(end, '')};
}

test("the command's output and exit status pass through, and its own flags are its own", async () => {
  const ids = await submitJobs(at, 3);
  const {code, stdout, stderr} = await hold('--', 'sh', '-c', 'echo "$@"; exit 7', 'x', '--help', '--json');
  expect([code, stdout]).toEqual([7, '--help --json\n']);
  expect(stderr).toBe('3 jobs were held; all wait in the queue again.\n');
  const signalled = await hold('--quiet', '--', 'sh', '-c', 'kill -INT $$');
  expect([signalled.code, signalled.stderr]).toEqual([130, '']);
  const unknown = await hold('--', '/no/such/command');
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('/no/such/command could not be run'),
  ]);
  expect((await hold()).code).toBe(2);
  expect((await hold('ls')).code).toBe(2);
  expect(await handedOut(at.site)).toEqual(ids);
});

test('--json prints one document; what the command prints goes to stderr', async () => {
  await submitJobs(at, 2);
  const dry = await hold('--dry-run', '--json', '--', 'echo', 'hello');
  expect([dry.code, dry.stderr]).toEqual([0, '']);
  expect(expectSchema('queue-hold', dry.stdout)).toMatchObject({
    commandStatus: null,
    planned: {waiting: 2, executing: 0, units: []},
  });
  expect((await at.server.jobs()).map(({retries}) => retries)).toEqual([0, 0]);
  const {code, stdout, stderr} = await hold('--json', '--', 'echo', 'hello');
  expect([code, stderr]).toEqual([0, 'hello\n']);
  expect(expectSchema('queue-hold', stdout)).toMatchObject({
    commandStatus: 0,
    held: 2,
    error: null,
    problems: [],
  });
  const {worker} = await executeJob(at.site);
  const late = await hold('--json', '--max-wait', '0.2', '--', 'echo', 'hello');
  expect([late.code, expectSchema('queue-hold', late.stdout).error.code]).toEqual([124, 'TIME_OVER']);
  await worker.kill();
});

test('others are told meanwhile; SIGTERM goes to the command, and the jobs come back', async () => {
  const ids = await submitJobs(at, 3);
  const held = await startHold();
  const [status, kill, save] = await Promise.all([
    runAtomctl(['queue:status'], {env: env()}),
    runAtomctl(['jobs:kill', String(ids[0]), '--yes', '--force'], {env: env()}),
    runAtomctl(['queue:save', join(directory, 'copy.json'), '--timeout', '2'], {env: env()}),
  ]);
  expect(status.stdout).toMatch(/A queue:hold \(atomctl-hold-/);
  expect([kill.code, kill.stderr]).toEqual([5, expect.stringContaining('locked by queue:hold by')]);
  expect([save.code, save.stderr]).toEqual([5, expect.stringMatching(/A queue:hold .* holds the queue/)]);
  held.child.kill('SIGTERM');
  expect((await held.ended).code).toBe(9);
  expect(await handedOut(at.site)).toEqual(ids);
});

test('SIGKILL loses no job: gearmand gives back what was held', async () => {
  const ids = await submitJobs(at, 3);
  const held = await startHold();
  ids.push(...(await submitJobs(at, 1)));
  await until(
    async () =>
      (await at.server.status()).find((row) => row.function === at.site.functionName(PLAIN))!.running === 4,
  );
  held.child.kill('SIGKILL');
  held.release();
  await held.ended;
  await until(isIdle);
  expect((await handedOut(at.site)).sort()).toEqual(ids);
});
