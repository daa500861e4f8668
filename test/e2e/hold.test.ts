import {existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
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
  symlinkSync('loop', join(directory, 'loop'));
  for (const [program, status, reason] of [
    ['/no/such/command', 127, 'it does not exist'],
    ['/etc', 126, 'it is a directory'],
    [join(directory, 'loop'), 126, 'its links form a loop, or a link is not followed'],
  ] as const) {
    const {code, stderr} = await hold('--quiet', '--', program);
    const hint = 'The waiting jobs are back in the queue.';
    expect([code, stderr]).toEqual([
      status,
      `Error: COMMAND could not be run: ${program}: ${reason}. ${hint}\n`,
    ]);
  }
  expect(await hold('--', '')).toMatchObject({code: 2, stderr: expect.stringContaining('COMMAND is empty.')});
  expect((await hold()).code).toBe(2);
  expect((await hold('ls')).code).toBe(2);
  expect(await handedOut(at.site)).toEqual(ids);
});

test('the units start again although the command leaves settings that cannot be read', async () => {
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  const ids = await submitJobs(at, 2);
  const bin = join(directory, 'bin');
  const [state, root] = [join(directory, 'state'), at.site.root];
  const systemctl = `#!/bin/sh
case "$*" in
*UnitPath*) echo UnitPath= ;;
*reset-failed*) ;;
*" start "*) echo active > ${state} ;;
*" stop "*) echo inactive > ${state} ;;
*) cat <<END ;;
Id=atom-worker.service
LoadState=loaded
ActiveState=$(cat ${state})
SubState=running
MainPID=0
ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php symfony jobs:worker ; ignore_errors=no ; }
WorkingDirectory=${root}
END
esac
`;
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), systemctl, {mode: 0o755});
  writeFileSync(state, 'active\n');
  const settings = join(root, 'apps/qubit/config/gearman.yml');
  const before = readFileSync(settings);
  const command = `cat ${state}; echo '[' > ${settings}`;
  const {code, stdout, stderr} = await runAtomctl(['queue:hold', '--', 'sh', '-c', command], {
    env: {...env(), PATH: `${bin}:${process.env.PATH}`},
  });
  writeFileSync(settings, before);
  expect([code, stdout, readFileSync(state, 'utf8')]).toEqual([1, 'inactive\n', 'active\n']);
  expect(stderr).toMatch(
    /Warning: atom-worker\.service may still be stopped: .*gearman\.yml.* is not valid YAML/,
  );
  expect(stderr).toContain('To start it: atomctl worker:start --reset\n');
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
