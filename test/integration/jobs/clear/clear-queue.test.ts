import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {type ClearSiteOptions, clearSite} from '../../../../src/jobs/clear/clear.ts';
import {planClear} from '../../../../src/jobs/clear/clear-rows.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {MOST_HELD} from '../../../../src/queue/probe.ts';
import {PLAIN_CLEAR} from '../../../support/jobs/plain-clear.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  submitBackground,
  until,
} from '../../../support/sandbox.ts';
import {
  controlOf,
  createQueueSite,
  executeJob,
  handedOut,
  type QueueSite,
  submitJobs,
} from '../../../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;
let other: QueueSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  [at, other] = await Promise.all([createQueueSite(gearmand), createQueueSite(gearmand)]);
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

interface Clear extends Partial<ClearSiteOptions> {
  filter?: JobFilter;
  /** What happens between the question and the answer. */
  meanwhile?: () => Promise<unknown>;
}

async function clear({filter, meanwhile, ...options}: Clear = {}, where = at) {
  const {database} = where.sources;
  const plan = await planClear({database, filter: filter ?? {}, inactive: false});
  await meanwhile?.();
  return clearSite({
    database,
    plan,
    ...PLAIN_CLEAR,
    queue: {...where.sources, everything: filter === undefined},
    worker: null,
    ...options,
  });
}

const submit = (count: number, site = at, jobClass?: string) => submitJobs(site, count, jobClass);

async function rows({site} = at): Promise<number[]> {
  return (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
}

describe('clearSite', () => {
  test("empties this site's queue, jobs without a row too, and leaves another site's as it is", async () => {
    await submit(3);
    await submit(2, at, 'arFileImportJob');
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'orphan', '{"id":1}');
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'no id', '[]');
    const theirs = await submit(4, other);
    expect(await clear()).toMatchObject({cleared: 5, queueRemoved: 7, queueExecuting: 0, problems: []});
    expect([await rows(), await handedOut(at.site), await handedOut(at.site, 'arFileImportJob')]).toEqual([
      [],
      [],
      [],
    ]);
    expect([await rows(other), await handedOut(other.site)]).toEqual([theirs, theirs]);
  });

  test('with a filter takes only what the filter matches out of the queue', async () => {
    const kept = await submit(2);
    const gone = await submit(2, at, 'arFileImportJob');
    const more = await submit(1);
    expect(await clear({filter: {names: ['arFileImportJob']}})).toMatchObject({cleared: 2, queueRemoved: 2});
    expect([await handedOut(at.site, 'arFileImportJob'), await handedOut(at.site)]).toEqual([
      [],
      [...kept, ...more],
    ]);
    expect(await rows()).toEqual([...kept, ...more]);
    expect(await clear({filter: {ids: gone}})).toMatchObject({cleared: 0, queueRemoved: 0});
  });

  test('leaves jobs that came after the question, in the queue and in the table, and Gearman alone if asked', async () => {
    await submit(2);
    let later: number[] = [];
    const meanwhile = async () => {
      later = await submit(3);
    };
    expect(await clear({meanwhile})).toMatchObject({cleared: 2, queueRemoved: 2});
    expect(await rows()).toEqual(later);
    expect(await clear({queue: null})).toMatchObject({cleared: 3, queueRemoved: 0, problems: []});
    expect(await handedOut(at.site)).toEqual(later);
  });

  test('empties a queue that is too long to be held, and keeps the order of what came later', async () => {
    const name = at.site.functionName('arFindingAidJob');
    const old = await at.site.insertJob({status: 'running'});
    for (let count = 0; count <= MOST_HELD; count += 1) {
      await submitBackground(gearmand.endpoint, name, `long-${count}`, `{"id":${old}}`);
    }
    await submit(1, at, 'arFileImportJob');
    let later: number[] = [];
    const meanwhile = async () => {
      later = await submit(3);
    };
    expect(await clear({meanwhile})).toMatchObject({cleared: 2, queueRemoved: MOST_HELD + 2, problems: []});
    expect([await handedOut(at.site), await rows()]).toEqual([later, later]);
  });

  test('interrupted, says what is gone; a second run completes it', async () => {
    await submit(2);
    await at.site.seedJobs(10);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const first = await clear({batchSize: 4, onProgress, signal: controller.signal});
    expect(first).toMatchObject({cleared: 4, queueRemoved: 2, interrupted: true, failure: null});
    expect(await rows()).toHaveLength(8);
    expect(await clear()).toMatchObject({cleared: 8, interrupted: false});

    await submit(2);
    const early = await clear({signal: AbortSignal.abort()});
    expect(early).toMatchObject({cleared: 0, queueRemoved: 0, interrupted: true, failure: null});
    expect(await clear()).toMatchObject({cleared: 2, queueRemoved: 2});
  });

  test('reports executing jobs, and with the worker restarted ends them', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    await submit(1);
    expect(await clear({filter: {ids: [id]}, queue: {...at.sources, everything: false}})).toMatchObject({
      cleared: 1,
      queueExecuting: 1,
    });
    await worker.kill();
    await until(async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.running);

    const again = await executeJob(at.site, 'arFileImportJob');
    const control = controlOf(at, again.worker, ['--abilities=arFileImportJob']);
    const result = await clear({worker: control});
    expect(result).toMatchObject({
      cleared: 2,
      queueRemoved: 3,
      queueExecuting: 0,
      problems: [],
      failure: null,
    });
    expect(control.calls).toEqual(['stop', 'start']);
    expect(await at.server.statusOfUniqueKeys([again.unique])).toEqual([{known: false, running: false}]);
    await control.worker.kill();
  });

  test('interrupted while the worker stops clears nothing, and says that its job begins again', async () => {
    const {id, worker} = await executeJob(at.site);
    const control = controlOf(at, worker);
    const controller = new AbortController();
    const stop = () => {
      controller.abort();
      return control.stop();
    };
    const result = await clear({worker: {stop, start: () => control.start()}, signal: controller.signal});
    expect(result).toMatchObject({cleared: 0, interrupted: true, queueRemoved: 0});
    expect(result.problems).toContainEqual(expect.stringMatching(/begins again\.$/));
    await until(() => control.worker.started().includes(id));
    await control.worker.kill();
  });

  test('clears the rows even if the worker cannot be stopped, and says so', async () => {
    await submit(1);
    const problem = new AtomctlError('FAILED', 'atom-worker.service is still active.');
    const result = await clear({worker: {stop: () => Promise.reject(problem), start: async () => {}}});
    expect(result).toMatchObject({
      cleared: 1,
      queueRemoved: 1,
      failure: problem,
      problems: [problem.message],
    });
  });
});

describe('a Gearman queue that cannot be cleared', () => {
  test.each<[string, () => Promise<GearmanProcess>, RegExp]>([
    ["Perl's server", startPerlGearmand, /not gearmand/],
    ['a limit of retries', () => startGearmand(['--job-retries=1']), /limits retries/],
  ])(
    '%s: no job leaves the queue, the rows are deleted, and a problem is reported',
    async (_name, start, problem) => {
      const server = await start();
      const where = await createQueueSite(server);
      await submit(3, where);
      const result = await clear({}, where);
      expect(result).toMatchObject({
        cleared: 3,
        queueRemoved: 0,
        failure: null,
        problems: [expect.stringMatching(problem)],
      });
      expect((await where.server.status()).map(({total}) => total)).toContain(3);
      await where.drop();
      await server.kill();
    },
  );

  test('a prefix that no server shows: nothing that may belong to another site is touched, and a problem is reported', async () => {
    const [id] = await submit(1);
    const result = await clear({queue: {...at.sources, prefix: 'f'.repeat(32), everything: true}});
    expect(result).toMatchObject({
      cleared: 1,
      queueRemoved: 0,
      problems: [expect.stringMatching(/function prefix/)],
    });
    expect(await handedOut(at.site)).toEqual([id]);
  });

  test('a server that is down does not keep the others from being cleared', async () => {
    const down = await startGearmand();
    const where = await createQueueSite(gearmand, down);
    await submit(2, where);
    await down.kill();
    const result = await clear({}, where);
    expect(result).toMatchObject({cleared: 2, queueRemoved: 2, failure: null});
    expect(result.problems).toEqual([
      expect.stringMatching(/Gearman server .* closed the connection|cannot be reached/),
    ]);
    await where.drop();
  });
});
