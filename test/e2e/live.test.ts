import {describe, expect, test} from 'vitest';
import {
  type GearmanProcess,
  runAtomctl,
  startAtomctl,
  startGearmand,
  startPerlGearmand,
  submitBackground,
  until,
} from '../support/sandbox.ts';
import {
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  insertLost,
  type QueueSite,
  submitJobs,
} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const {gearmand, at, workers} = await useQueueSite();

const submit = (count: number, site: Pick<QueueSite, 'site'> = at) => submitJobs(site, count);

/** The live state of each job in `jobs:list --json`, the likely one and the reason, and the whole result. */
async function list(args: string[] = [], where = at) {
  const run = await runAtomctl(['jobs:list', '--json', ...args], {env: where.site.env});
  if (run.code !== 0) throw new Error(`${run.code}: ${run.stdout}${run.stderr}`);
  type Fields = Record<'live' | 'likely' | 'liveReason', string | null>;
  const jobs = JSON.parse(run.stdout).jobs as (Fields & {id: number})[];
  const by = (field: keyof Fields) => Object.fromEntries(jobs.map((job) => [job.id, job[field]]));
  return {...run, live: by('live'), likely: by('likely'), liveReason: by('liveReason')};
}

describe('jobs:list', () => {
  test('--probe distinguishes all states and keeps the queue; without it no state is wrong', async () => {
    const [one, two] = [await executeJob(at.site), await executeJob(at.site)];
    workers.push(one.worker, two.worker);
    const again = await executeJob(at.site);
    const queued = await submit(5);
    await crash(again.worker, again.unique, at.server);
    const begun = await insertLost(at.site, '{"id":7}');
    const lost = await insertLost(at.site);
    const ended = await at.site.insertJob({status: 'completed'});

    const truth = Object.fromEntries([
      ...[one.id, two.id].map((id) => [id, 'executing']),
      ...[...queued, again.id].map((id) => [id, 'queued']),
      // Its log is silent since March, and both workers are known to execute other jobs.
      [begun, 'lost'],
      [lost, 'lost'],
      [ended, null],
    ]);
    const before = await at.server.jobs();
    const plain = await list();
    for (const [id, state] of Object.entries(plain.live)) expect([truth[id], 'uncertain']).toContain(state);
    expect(plain.live).toMatchObject({
      [one.id]: 'executing',
      [again.id]: 'queued',
      [begun]: 'uncertain',
      [ended]: null,
    });
    expect(plain.likely[lost]).toBe('queued');
    expect(plain.liveReason[lost]).toMatch(/^It may be one of \d jobs in its queue, but /);
    expect([await at.server.jobs(), plain.code, plain.stderr]).toEqual([before, 0, '']);

    const probed = await list(['--probe']);
    expect([probed.live, probed.code, probed.stderr]).toEqual([truth, 0, '']);
    expect((await list(['--probe', '--live', 'lost'])).live).toEqual({[begun]: 'lost', [lost]: 'lost'});
    expect(new Set(Object.values((await list(['--no-live'])).live))).toEqual(new Set([null]));
    const {stdout} = await runAtomctl(['jobs:show', String(again.id), '--json'], {env: at.site.env});
    expect(JSON.parse(stdout)).toMatchObject({id: again.id, live: 'queued'});
    expect(await handedOut(at.site)).toEqual([...queued, again.id]);
  });

  test('no job is lost if atomctl is killed in the middle of a probe', async () => {
    const name = at.site.functionName('arFindingAidJob');
    const [first] = await submit(1);
    for (let count = 0; count < 150; count += 1)
      await submitBackground(gearmand.endpoint, name, `k${count}`, '{"id":1}');
    const {child, ended} = startAtomctl(['jobs:list', '--probe'], {env: at.site.env});
    const held = async () => (await at.server.status()).find((row) => row.function === name)!.running;
    await until(async () => child.exitCode !== null || (await held()) > 5);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    await until(async () => (await held()) === 0);
    expect((await list(['--probe'])).live).toEqual({[first!]: 'queued'});
    expect(await handedOut(at.site)).toHaveLength(151);
  });
});

describe('a server with limits', () => {
  test.each<[string, () => Promise<GearmanProcess>, RegExp]>([
    ["Perl's", startPerlGearmand, /^The queue was not probed: .* is not gearmand/],
    [
      'with a limit of retries',
      () => startGearmand(['--job-retries=1']),
      /^The queue was not probed: .* limits retries/,
    ],
  ])('%s is not probed, and no wrong state is reported', async (_name, start, notice) => {
    const server = await start();
    const where = await createQueueSite(server);
    const executing = await executeJob(where.site);
    const queued = await submit(2, where);
    const lost = await insertLost(where.site);
    const {live, code, stderr} = await list(['--probe'], where);
    expect([code, stderr]).toEqual([0, expect.stringMatching(notice)]);
    expect(['executing', 'uncertain']).toContain(live[executing.id]);
    expect(['lost', 'uncertain']).toContain(live[lost]);
    for (const id of queued) expect(['queued', 'uncertain']).toContain(live[id]);
    const rows = await where.server.status();
    expect(rows.find((row) => row.total > 0)).toMatchObject({total: 3, running: 1});
    await executing.worker.kill();
    await where.drop();
    await server.kill();
  });

  test('that is down: the list is shown, the column has question marks, stderr says why', async () => {
    const down = await startGearmand();
    const where = await createQueueSite(down);
    const id = await insertLost(where.site);
    await down.kill();
    const text = await runAtomctl(['jobs:list', '--columns', 'id,live'], {env: where.site.env});
    expect([text.code, text.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${id} +\\?`, 'm'))]);
    expect(text.stderr).toMatch(/The live state is not certain: Gearman server .* cannot be reached/);
    expect((await list(['--no-live'], where)).stderr).toBe('');
    expect((await list(['--live', 'lost'], where)).live).toEqual({});
    expect((await list(['--live', 'uncertain'], where)).live).toEqual({[id]: 'uncertain'});
    await where.drop();
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'K8: %s during --probe: the jobs are given back in their order first',
  async (signal) => {
    const ids = await submit(60);
    const {child, ended} = startAtomctl(['jobs:list', '--probe', '--json'], {env: at.site.env});
    await until(
      async () => child.exitCode !== null || (await at.server.status()).some(({running}) => running > 20),
    );
    child.kill(signal);
    const {code, stdout} = await ended;
    expect([code, JSON.parse(stdout).error]).toMatchObject([130, {code: 'INTERRUPTED'}]);
    expect(await handedOut(at.site)).toEqual(ids);
  },
);
