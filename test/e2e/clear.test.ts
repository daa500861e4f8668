import {createHash} from 'node:crypto';
import {stripVTControlCharacters} from 'node:util';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {
  freePort,
  type GearmanProcess,
  runAtomctl,
  runOnTerminal,
  startAtomctl,
  startGearmand,
  until,
} from '../support/sandbox.ts';
import {
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  type QueueSite,
  submitJobs,
} from '../support/site/queue-site.ts';
import {everyTable} from '../support/site/whole-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;
let other: QueueSite;
let empty: Record<string, unknown[]>;

beforeAll(async () => {
  gearmand = await startGearmand();
  [at, other] = await Promise.all([createQueueSite(gearmand), createQueueSite(gearmand)]);
  empty = await everyTable(at.site);
});

afterEach(async () => {
  for (const {site} of [at, other]) {
    await handedOut(site);
    await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  }
});

afterAll(async () => {
  await Promise.all([at.drop(), other.drop()]);
  await gearmand.kill();
});

const clear = (...args: string[]) => runAtomctl(['jobs:clear', ...args], {env: at.site.env});

const submit = (count: number, site = at, jobClass?: string) => submitJobs(site, count, jobClass);

const rows = () => at.site.query('SELECT id FROM job');

test('deletes all rows and Gearman jobs; the other site keeps its queue', async () => {
  await submit(3);
  await at.site.insertJob({status: 'error', notes: [{text: 'n', error: true}], userToken: 't'});
  const theirs = await submit(2, other);

  const dry = await clear('--dry-run', '--json');
  expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([
    0,
    {cleared: 4, queueRemoved: 3, queueLeft: 0, queueWithoutRow: 0, dryRun: true},
  ]);
  expect((await at.server.jobs()).length).toBe(5);

  const {code, stdout, stderr} = await clear('--no-confirmation', '--json');
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({
    cleared: 4,
    byStatus: {running: 3, completed: 0, error: 1, unknown: 0},
    queueRemoved: 3,
    queueExecuting: 0,
    downloadsDeleted: 0,
    exported: null,
    dryRun: false,
  });
  expect(await everyTable(at.site)).toEqual(empty);
  expect([await handedOut(at.site), await handedOut(other.site)]).toEqual([[], theirs]);
});

test('a filter removes only its jobs from the queue, --keep-queue none; an executing one is reported', async () => {
  const {id: executing, unique, worker} = await executeJob(at.site, 'arObjectMoveJob');
  const kept = await submit(2);
  await submit(1, at, 'arFileImportJob');
  const filtered = await clear('--name', 'arFileImportJob', '--yes');
  expect([filtered.code, filtered.stdout]).toEqual([
    0,
    '1 job cleared: 1 running.\nRemoved from Gearman: 1 job.\nStill in Gearman for this site: 3 jobs.\n',
  ]);
  const left = await clear('--id', String(kept[0]), '--keep-queue', '--yes', '--json');
  expect(JSON.parse(left.stdout)).toMatchObject({cleared: 1, queueRemoved: 0});
  expect(await handedOut(at.site)).toEqual(kept);

  const {stdout} = await clear('--id', String(executing), '-B');
  expect(stdout).toMatch(/Executing among the cleared jobs: 1 job;/);
  await crash(worker, unique, at.server);
  await handedOut(at.site, 'arObjectMoveJob');
});

describe('the question', () => {
  test('without a terminal is a usage error; n is exit 5; neither changes anything', async () => {
    await submit(2);
    const before = await everyTable(at.site);
    const piped = await clear();
    expect([piped.code, piped.stdout]).toEqual([2, '']);
    const {code, screen} = await runOnTerminal(['jobs:clear'], {
      env: at.site.env,
      input: 'n\n',
      columns: 60,
    });
    expect([code, screen]).toEqual([
      5,
      expect.stringContaining('Are you SURE you want to clear all 2 jobs? (y/N)'),
    ]);
    expect(screen).toContain('In Gearman this site has 2 jobs: 2 waiting, 0 executing.');
    const lines = stripVTControlCharacters(screen).split('\n');
    expect(lines.filter((line) => line.length > 60 && line.trim().includes(' '))).toEqual([]);
    expect([await everyTable(at.site), (await at.server.jobs()).length]).toEqual([before, 2]);
    const yes = await runOnTerminal(['jobs:clear'], {env: at.site.env, input: 'y\n'});
    expect([yes.code, await rows(), (await at.server.jobs()).length]).toEqual([0, [], 0]);
  });
});

test('Gearman is down: the rows are deleted, with a warning and exit status 1', async () => {
  await submit(2);
  const gearman = `127.0.0.1:${await freePort()}`;
  const {code, stdout, stderr} = await clear('--yes', '--json', '--gearman', gearman);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^Warning: Some or all Gearman jobs were not removed.*cannot be reached/),
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    cleared: 2,
    queueRemoved: 0,
    warnings: [expect.stringContaining(gearman)],
  });
  expect(await rows()).toEqual([]);
});

test.each([
  ['SIGINT', 1],
  ['SIGTERM', 1],
  ['SIGHUP', 1],
  ['SIGINT', 3],
] as const)(
  'K4: after %s, %i times, it says how many are gone and exits 130; a second run completes it',
  async (signal, times) => {
    await at.site.seedJobs(200);
    const {child, ended} = startAtomctl(
      ['jobs:clear', '--yes', '--json', '--batch-size', '5', '--pause', '0.1'],
      {env: at.site.env},
    );
    await until(async () => child.exitCode !== null || (await rows()).length < 200);
    for (let count = 0; count < times; count += 1) child.kill(signal);
    const {code, stdout} = await ended;
    const {cleared} = JSON.parse(stdout);
    expect([code, cleared]).toEqual([130, 200 - (await rows()).length]);
    expect(cleared % 5).toBe(0);
    const second = await clear('--yes', '--json');
    expect([second.code, JSON.parse(second.stdout).cleared]).toEqual([0, 200 - cleared]);
    expect(await everyTable(at.site)).toEqual(empty);
  },
);

test('an interrupted clear says how many of how many jobs are gone', async () => {
  await at.site.seedJobs(100);
  const {child, ended} = startAtomctl(['jobs:clear', '--yes', '--batch-size', '5', '--pause', '0.1'], {
    env: at.site.env,
  });
  await until(async () => child.exitCode !== null || (await rows()).length < 100);
  child.kill('SIGINT');
  const {stdout} = await ended;
  expect(stdout).toContain(`${100 - (await rows()).length} jobs of 100 cleared before it stopped: `);
});

test('K7: a clear that was stopped for longer than its lock lives ends before the next batch', async () => {
  await at.site.seedJobs(60);
  const {child, ended} = startAtomctl(
    ['jobs:clear', '--yes', '--json', '--batch-size', '5', '--pause', '0.2'],
    {env: at.site.env},
  );
  await until(async () => child.exitCode !== null || (await rows()).length < 60);
  child.kill('SIGSTOP');
  const lockName = `atomctl:${createHash('md5').update(at.site.databaseName).digest('hex')}`;
  const isFree = async () => {
    const [row] = await at.site.query('SELECT IS_FREE_LOCK(?) AS free', [lockName]);
    return row.free === 1;
  };
  await until(isFree);
  const left = (await rows()).length;
  child.kill('SIGCONT');
  const {code, stdout} = await ended;
  expect([code, JSON.parse(stdout)]).toMatchObject([
    1,
    {cleared: 60 - (await rows()).length, warnings: [expect.stringMatching(/lock was lost/)]},
  ]);
  expect(left - (await rows()).length).toBeLessThanOrEqual(5);
});

test('the plan says which of the running jobs execute; the result says it of those that execute', async () => {
  await submit(2);
  const {id, unique, worker} = await executeJob(at.site, 'arObjectMoveJob');
  const {stdout} = await clear('--dry-run', '--id', String(id));
  const text = stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain('Running among them: 1 executes.');
  expect(text).toContain(`Warning: ${id} (arObjectMoveJob) executes: its worker may fail and end`);
  const kept = await clear('--dry-run', '--keep-queue');
  expect(kept.stdout).toContain('Running among them: 3; their workers may fail.');
  const result = await clear('--yes', '--json');
  expect(JSON.parse(result.stdout)).toMatchObject({
    queueExecuting: 1,
    warnings: ['Executing among the cleared jobs: 1 job; its worker may fail and end.'],
  });
  await crash(worker, unique, at.server);
  await handedOut(at.site, 'arObjectMoveJob');
});
