import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {type ClearSiteOptions, clearExitStatus, clearSite} from '../../../../src/jobs/clear/clear.ts';
import {planClear} from '../../../../src/jobs/clear/plan.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {holdWaiting} from '../../../../src/queue/probe/hold-waiting.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {takeProbeLock} from '../../../../src/queue/probe/probe-lock.ts';
import {withMethods} from '../../../support/jobs/kill-site.ts';
import {PLAIN_CLEAR} from '../../../support/jobs/plain-clear.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  startWorker,
  submitBackground,
  submitJob,
  until,
} from '../../../support/sandbox.ts';
import {
  asControl,
  cancelOther,
  controlOf,
  crash,
  createQueueSite,
  endsMeanwhile,
  executeJob,
  handedOut,
  type QueueSite,
  sourcesOf,
  submitJobs,
  takeAll,
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
    queue: where.sources,
    allQueued: false,
    worker: null,
    mayInterrupt: new Set(),
    ...options,
  });
}

const submit = (count: number, site = at, jobClass?: string) => submitJobs(site, count, jobClass);

async function rows({site} = at): Promise<number[]> {
  return (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
}

describe('clearSite', () => {
  test("T14: takes the jobs of its rows, leaves those without a row, and another site's", async () => {
    await submit(3);
    await submit(2, at, 'arFileImportJob');
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'orphan', '{"id":1}');
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'no id', '[]');
    const theirs = await submit(4, other);
    expect(await clear()).toMatchObject({
      cleared: 5,
      queueRemoved: 5,
      queueLeft: 2,
      queueIncomplete: false,
      problems: [],
    });
    expect([await rows(), await handedOut(at.site), await handedOut(at.site, 'arFileImportJob')]).toEqual([
      [],
      [1, null],
      [],
    ]);
    expect([await rows(other), await handedOut(other.site)]).toEqual([theirs, theirs]);
  });

  test('takes the jobs without a row too if that is asked for', async () => {
    await submit(3);
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'orphan', '{"id":1}');
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'no id', '[]');
    const theirs = await submit(2, other);
    const kept = await submit(1, at, 'arFileImportJob');
    expect(await clear({filter: {names: ['arFindingAidJob']}, allQueued: true})).toMatchObject({
      cleared: 3,
      queueRemoved: 5,
      queueLeft: 1,
    });
    expect([await handedOut(at.site), await handedOut(at.site, 'arFileImportJob')]).toEqual([[], kept]);
    expect(await handedOut(other.site)).toEqual(theirs);
  });

  test('T14: of two sites with one prefix, each loses only jobs that fit its own rows', async () => {
    const mine = await submit(2);
    const name = at.site.functionName('arFindingAidJob');
    const foreign = [
      JSON.stringify({name: 'arFindingAidJob', objectId: 99, id: String(mine[0])}),
      JSON.stringify({name: 'arFindingAidJob', objectId: 512, id: '987654'}),
    ];
    for (const [index, payload] of foreign.entries()) {
      await submitBackground(gearmand.endpoint, name, `foreign-${index}`, payload);
    }
    await at.site.query('UPDATE job SET object_id = (SELECT MIN(id) FROM object) WHERE id = ?', [mine[0]]);
    const result = await clear();
    expect(result).toMatchObject({cleared: 2, queueRemoved: 1});
    expect(await handedOut(at.site)).toEqual([mine[0], mine[0], 987_654]);
  });

  test('K6: a site without a prefix takes nothing of other programs that share the server', async () => {
    await submit(1);
    const own = await at.site.insertJob({name: 'arFindingAidJob', status: 'running'});
    for (const name of ['movesip_v0.0', 'normalize_v1.0', 'arFindingAidJob']) {
      await submitBackground(gearmand.endpoint, name, `plain-${name}`, JSON.stringify({id: String(own)}));
    }
    const prefixes = {own: '', also: [], foreign: async () => new Set<string>()};
    expect(await clear({queue: {...at.sources, prefixes}, allQueued: true})).toMatchObject({queueRemoved: 1});
    expect(await takeAll(at.site, 'movesip_v0.0')).toEqual([own]);
    expect(await takeAll(at.site, 'normalize_v1.0')).toEqual([own]);
    expect(await takeAll(at.site, 'arFindingAidJob')).toEqual([]);
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

  describe('while another atomctl holds the waiting jobs', () => {
    async function whileHeld<T>(work: (giveBack: () => Promise<void>) => Promise<T>): Promise<T> {
      const options = {timeoutSeconds: 2, clientId: newProbeId(Date.now())};
      const lock = await takeProbeLock(gearmand.address, options);
      const held = await holdWaiting(at.server, [at.site.functionName('arFindingAidJob')], options);
      expect(held.jobs).toHaveLength(2);
      let isHeld = true;
      const giveBack = async () => {
        if (!isHeld) return;
        isHeld = false;
        await held.giveBack();
        await lock.release();
      };
      return work(giveBack).finally(giveBack);
    }

    test('says that they may stay, and does not end with 0', async () => {
      const ids = await submitJobs(at, 2);
      const done = await whileHeld(() =>
        clear({filter: {ids: ids.slice(0, 1)}, queue: {...at.sources, timeoutSeconds: 0.3}}),
      );
      expect([done.cleared, done.queueRemoved, clearExitStatus(done)]).toEqual([1, 0, 1]);
      expect(done.problems).toEqual([
        expect.stringMatching(/^Some or all Gearman jobs were not removed: Another atomctl/),
      ]);
      expect(await handedOut(at.site)).toEqual(ids);
    });

    test('waits until these are given back', async () => {
      const ids = await submitJobs(at, 2);
      const done = await whileHeld((giveBack) => {
        setTimeout(giveBack, 1500);
        return clear({filter: {ids: ids.slice(0, 1)}});
      });
      expect([done.cleared, done.queueRemoved, clearExitStatus(done), done.problems]).toEqual([1, 1, 0, []]);
      expect(await handedOut(at.site)).toEqual(ids.slice(1));
    });
  });

  test('K5: clears a class of thousands of waiting jobs, and keeps the order of what stays', async () => {
    const kept = await submit(3);
    const going = await submit(700, at, 'arGenerateReportJob');
    const keptToo = await submit(3);
    const stays = await submit(2, at, 'arGenerateReportJob');
    expect(await clear({filter: {ids: going}, batchSize: 100})).toMatchObject({
      cleared: 700,
      queueRemoved: 700,
      problems: [],
    });
    expect(await handedOut(at.site)).toEqual([...kept, ...keptToo]);
    expect(await handedOut(at.site, 'arGenerateReportJob')).toEqual(stays);
  });

  test('K1: if rows cannot be deleted, the queue is untouched', async () => {
    const ids = await submit(2);
    await at.site.query(
      "CREATE TRIGGER keep BEFORE DELETE ON object FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'",
    );
    try {
      await expect(clear()).rejects.toMatchObject({
        code: 'REFUSED',
        message: expect.stringMatching(/^Jobs cannot be deleted: .*kept/),
      });
    } finally {
      await at.site.query('DROP TRIGGER keep');
    }
    expect([await rows(), await handedOut(at.site)]).toEqual([ids, ids]);
  });

  test('K1: if that shows only when workers were stopped, exits 1, since 5 says that nothing was touched', async () => {
    const {id, worker} = await executeJob(at.site);
    const stop = () =>
      at.site
        .query(
          "CREATE TRIGGER keep BEFORE DELETE ON object FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'",
        )
        .then(() => {});
    const result = await clear({worker: asControl({stop, start: async () => {}})}).finally(async () => {
      await at.site.query('DROP TRIGGER keep');
      await worker.kill();
    });
    expect(result).toMatchObject({cleared: 0, failure: {code: 'REFUSED'}});
    expect([clearExitStatus(result), await rows()]).toEqual([1, [id]]);
  });

  test('K7: if the lock is lost when jobs were taken out, but no row is gone, exits 1', async () => {
    const ids = await submit(2);
    let batches = 0;
    const checkLock = async () => {
      batches += 1;
      if (batches === 2) throw new AtomctlError('LOCKED', 'The lock was lost.');
    };
    // The first matches no longer when it is locked.
    const database = withMethods(at.sources.database, {
      transaction: (work) =>
        at.site
          .query('UPDATE job SET status_id = 184 WHERE id = ?', [ids[0]])
          .then(() => at.sources.database.transaction(work)),
    });
    const result = await clear({database, filter: {statuses: ['running']}, batchSize: 1, checkLock});
    expect(result).toMatchObject({cleared: 0, queueRemoved: 1, failure: {code: 'LOCKED'}});
    expect([clearExitStatus(result), await rows()]).toEqual([1, ids]);
  });

  test('K7: stops before a batch if the lock of the site was lost', async () => {
    await submit(6);
    let batches = 0;
    const checkLock = async () => {
      batches += 1;
      if (batches === 3) throw new AtomctlError('FAILED', 'The lock was lost.');
    };
    const result = await clear({batchSize: 2, checkLock});
    expect(result).toMatchObject({cleared: 4, queueRemoved: 4, failure: {message: 'The lock was lost.'}});
    expect([await rows(), await handedOut(at.site)].map((ids) => ids.length)).toEqual([2, 2]);
  });

  test('interrupted, says what is gone; a second run completes it', async () => {
    await submit(2);
    await at.site.seedJobs(10);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const first = await clear({batchSize: 4, onProgress, signal: controller.signal});
    expect(first).toMatchObject({cleared: 4, queueRemoved: 2, interrupted: true, failure: null});
    expect(clearExitStatus(first)).toBe(130);
    expect(await rows()).toHaveLength(8);
    expect(await clear()).toMatchObject({cleared: 8, interrupted: false});

    await submit(2);
    const early = await clear({signal: AbortSignal.abort()});
    expect(early).toMatchObject({cleared: 0, queueRemoved: 0, interrupted: true, failure: null});
    expect(await clear()).toMatchObject({cleared: 2, queueRemoved: 2});
  });

  test('if the database fails as the jobs without a row are looked for, says what is gone', async () => {
    await submit(2);
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'orphan', '{"id":1}');
    const database = withMethods(at.sources.database, {
      query: async (sql, values) => {
        if (sql.startsWith('SELECT id, name FROM job'))
          throw new AtomctlError('DATABASE_LOST', 'It is gone.');
        return at.sources.database.query(sql, values);
      },
    });
    const first = await clear({database, allQueued: true});
    expect(first).toMatchObject({cleared: 2, queueRemoved: 2, queueLeft: 1});
    expect([first.problems, clearExitStatus(first)]).toEqual([
      ['It is gone. 2 jobs were cleared before this; run the command again to clear the rest.'],
      3,
    ]);
    expect(await clear({allQueued: true})).toMatchObject({queueRemoved: 1, queueLeft: 0, failure: null});
  });

  test.each(['before the first batch', 'between two batches'])(
    'keeps a job that a worker begins after the question, %s',
    async (moment) => {
      const ended = await at.site.insertJob({status: 'completed'});
      const {id, unique} = await submitJob(at.site, {jobClass: 'arFindingAidJob', work: {seconds: 600}});
      let worker: Awaited<ReturnType<typeof startWorker>> | undefined;
      const begin = async () => {
        if (worker !== undefined || (moment === 'between two batches' && (await rows()).includes(ended)))
          return;
        worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
        await until(async () => {
          const [row] = await at.site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [
            id,
          ]);
          return row?.output?.includes('Parameters:') === true;
        });
      };
      const isBefore = moment === 'before the first batch';
      const cleared = await clear({
        batchSize: 1,
        ...(isBefore ? {meanwhile: begin} : {checkLock: begin, onProgress: () => {}}),
      });
      expect(cleared).toMatchObject({cleared: 1, queueRemoved: 0, failure: null});
      expect(cleared.problems).toContain(
        `Kept 1 job that a worker began after the question: ${id}. To clear it, run the command again.`,
      );
      expect(await rows()).toEqual([id]);
      await crash(worker!, unique, at.server);
    },
  );

  test.each([185, null])('takes out a job that waits although its row has ended: %s', async (status) => {
    const {id, unique, worker} = await executeJob(at.site);
    await crash(worker, unique, at.server);
    await at.site.query('UPDATE job SET status_id = ? WHERE id = ?', [status, id]);
    const [other] = await submit(1);
    expect(await clear({filter: {ids: [id]}})).toMatchObject({cleared: 1, queueRemoved: 1});
    expect(await handedOut(at.site)).toEqual([other]);
  });

  test.each([185, null])(
    'takes out one that no worker has begun, whose row has ended: %s',
    async (status) => {
      const [id, other] = await submit(2);
      await at.site.query('UPDATE job SET status_id = ? WHERE id = ?', [status, id]);
      expect(await clear({filter: {ids: [id!]}})).toMatchObject({cleared: 1, queueRemoved: 1});
      expect(await handedOut(at.site)).toEqual([other]);
    },
  );

  test('takes out one that waits although its row has ended, beside a cancelled job of another class', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    await crash(worker, unique, at.server);
    await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
    await cancelOther(at);
    expect(await clear({filter: {ids: [id]}})).toMatchObject({cleared: 1, queueRemoved: 1});
    expect([...(await handedOut(at.site)), ...(await handedOut(at.site, 'arValidateCsvJob'))]).toEqual([]);
  });

  test('takes out the job of a row that is set to Running again after the queue was looked at', async () => {
    const [again] = await submit(1);
    await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [again]);
    const {database} = at.sources;
    const visit: Database['visit'] = async (...args) => {
      await database.visit(...args);
      await at.site.query('UPDATE job SET status_id = 183 WHERE id = ?', [again]);
    };
    expect(await clear({database: withMethods(database, {visit})})).toMatchObject({
      cleared: 1,
      queueRemoved: 1,
      queueLeft: 0,
    });
  });

  test('interrupted before the jobs without a row are taken out, says so', async () => {
    await submit(2);
    await submitBackground(gearmand.endpoint, at.site.functionName('arFindingAidJob'), 'orphan', '{"id":1}');
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const first = await clear({allQueued: true, onProgress, signal: controller.signal});
    expect(first).toMatchObject({cleared: 2, queueRemoved: 2, queueLeft: 1, interrupted: true});
    expect(clearExitStatus(first)).toBe(130);
    expect(await clear({allQueued: true})).toMatchObject({queueRemoved: 1, queueLeft: 0, interrupted: false});
  });

  test('reports executing jobs, and with the worker restarted ends them', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    await submit(1);
    const result = await clear({filter: {ids: [id]}});
    expect(result).toMatchObject({cleared: 1, queueExecuting: 1});
    expect(clearExitStatus(result)).toBe(1);
    await worker.kill();
    await until(async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.running);

    const again = await executeJob(at.site, 'arFileImportJob');
    const control = controlOf(at, again.worker, ['--abilities=arFileImportJob']);
    const stopped = await clear({worker: control});
    expect(stopped).toMatchObject({
      cleared: 2,
      queueRemoved: 2,
      queueExecuting: 0,
      problems: [],
      failure: null,
    });
    expect(control.calls).toEqual(['stop', 'start']);
    expect(await at.server.statusOfUniqueKeys([again.unique])).toEqual([{known: false, running: false}]);
    await control.worker.kill();
  });

  test('an executing job that matches only after the question stays, and its worker goes on', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    await at.site.insertJob({status: 'error', output: 'timeout'});
    const control = controlOf(at, worker, ['--abilities=arFindingAidJob']);
    const result = await clear({
      filter: {grep: 'timeout'},
      meanwhile: () => at.site.query("UPDATE job SET output = CONCAT(output, 'timeout') WHERE id = ?", [id]),
      worker: control,
    });
    expect(result).toMatchObject({cleared: 1, queueRemoved: 0, queueExecuting: 0, workersAsked: false});
    expect([control.calls, await rows()]).toEqual([[], [id]]);
    await worker.kill();
    await until(async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.running);
  });

  test('saves the history after the last check that may refuse, and before a job is cancelled', async () => {
    const one = await executeJob(at.site);
    const saved: (boolean | number)[] = [];
    const history: ClearSiteOptions['history'] = async (plan) => {
      const [state] = await at.server.statusOfUniqueKeys([one.unique]);
      saved.push(plan.total, state!.known);
      return plan;
    };
    const control = controlOf(at, one.worker, ['--abilities=arFindingAidJob']);
    const interrupting = {
      ...control,
      workersOf: async (...given: Parameters<typeof control.workersOf>) => ({
        ...(await control.workersOf(...given)),
        interrupts: [{id: 7, name: 'arFileImportJob'}],
      }),
    };
    const refused = clear({filter: {ids: [one.id]}, worker: interrupting, history});
    await expect(refused).rejects.toMatchObject({code: 'REFUSED'});
    expect([saved, control.calls]).toEqual([[], []]);
    const interruption = new AbortController();
    interruption.abort();
    const {signal} = interruption;
    expect(await clear({filter: {ids: [one.id]}, worker: control, history, signal})).toMatchObject({
      interrupted: true,
      cleared: 0,
      cancelAsked: false,
      workersAsked: false,
    });
    expect([saved, control.calls]).toEqual([[], []]);
    const cleared = await clear({filter: {ids: [one.id]}, worker: control, history});
    expect(cleared).toMatchObject({cleared: 1, queueRemoved: 1, failure: null, problems: []});
    expect([saved, control.calls]).toEqual([
      [1, true],
      ['stop', 'start'],
    ]);
    await control.worker.kill();
  });

  test('a job that ends before its worker is stopped: the worker, which has begun another job, goes on', async () => {
    const {ending, next, worker, calls, control} = await endsMeanwhile(at, 1);
    const result = await clear({filter: {ids: [ending]}, worker: control});
    expect(result).toMatchObject({cleared: 1, queueRemoved: 0, workersAsked: false, interruptedJobs: []});
    expect([calls, worker.started(), await rows()]).toEqual([[], [ending, next], [next]]);
    await worker.kill();
  });

  test.each([true, false])(
    'a job that executes although its row has ended is named, unless it is cleared: %s',
    async (cleared) => {
      const [one, ended] = [await executeJob(at.site), await executeJob(at.site)];
      await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [ended.id]);
      let seen: number[] = [];
      await clear({
        filter: cleared ? {} : {ids: [one.id]},
        worker: {
          async workersOf(_ids, executing) {
            seen = executing.map(({id}) => id);
            return {stop: async () => {}, start: async () => {}, interrupts: []};
          },
        },
      });
      expect(seen).toEqual(cleared ? [one.id] : [one.id, ended.id]);
      await Promise.all([one.worker.kill(), ended.worker.kill()]);
    },
  );

  test('rows that cannot be deleted after an executing job was cancelled: exit 1, not 5', async () => {
    const {unique, worker} = await executeJob(at.site);
    const cancel = at.server.cancel.bind(at.server);
    at.server.cancel = async (handle) => {
      const done = await cancel(handle);
      await crash(worker, unique, at.server);
      await at.site.query(
        "CREATE TRIGGER keep BEFORE DELETE ON object FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'",
      );
      return done;
    };
    try {
      const control = controlOf(at, worker);
      const result = await clear({worker: control});
      expect([clearExitStatus(result), result.cleared, control.calls]).toEqual([1, 0, []]);
      expect(result.failure?.message).toMatch(/cannot be deleted/);
    } finally {
      at.server.cancel = cancel;
      await at.site.query('DROP TRIGGER IF EXISTS keep');
    }
  });

  test('interrupted while the worker stops, a row that no longer matches stays', async () => {
    const {id, worker} = await executeJob(at.site);
    const controller = new AbortController();
    const stop = async () => {
      controller.abort();
      await worker.kill();
      await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
    };
    const result = await clear({
      filter: {statuses: ['running']},
      worker: asControl({stop, start: async () => {}}),
      signal: controller.signal,
    });
    expect([result.cleared, result.interrupted, await rows()]).toEqual([0, true, [id]]);
  });

  test.each([185, null])(
    'reports a job that executes although its row was ended by hand: %s',
    async (status) => {
      const {id, worker} = await executeJob(at.site);
      await at.site.query('UPDATE job SET status_id = ? WHERE id = ?', [status, id]);
      expect(await clear({filter: {ids: [id]}})).toMatchObject({cleared: 1, queueExecuting: 1});
      await worker.kill();
    },
  );

  test('interrupted while the worker stops clears what is cancelled by then, and nothing else', async () => {
    const {id, worker} = await executeJob(at.site);
    const [waits] = await submit(1);
    const control = controlOf(at, worker);
    const controller = new AbortController();
    const stop = () => {
      controller.abort();
      return control.stop();
    };
    const interrupted = asControl({stop, start: () => control.start()});
    const result = await clear({worker: interrupted, signal: controller.signal});
    expect(result).toMatchObject({cleared: 1, interrupted: true, queueRemoved: 1});
    await until(() => control.worker.started().includes(waits!));
    expect(control.worker.started()).not.toContain(id);
    expect((await at.site.query('SELECT id FROM job')).map((row) => row.id)).toEqual([waits]);
    await control.worker.kill();
  });

  test('another worker that is free is not handed an executing job as its worker stops', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    const free = await startWorker(at.site);
    const isOut = async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.known;
    const stop = () => worker.stop().then(() => until(isOut));
    const result = await clear({worker: asControl({stop, start: async () => {}})});
    expect(result).toMatchObject({cleared: 1, queueRemoved: 1, queueExecuting: 0, queueLeft: 0});
    expect(free.started()).not.toContain(id);
    await free.kill();
  });

  test('K1: a plugin forbids the deletion of one row in the middle of a batch: no job leaves the queue', async () => {
    const [, second] = await submit(3);
    await at.site.query('CREATE TABLE plugin_job (job INT, FOREIGN KEY (job) REFERENCES job (id))');
    await at.site.query('INSERT INTO plugin_job VALUES (?)', [second]);
    const refused = clear({});
    await expect(refused).rejects.toMatchObject({code: 'REFUSED'});
    await at.site.query('DROP TABLE plugin_job');
    expect([(await rows()).length, (await at.server.jobs()).length]).toEqual([3, 3]);
  });

  test('K1: another session has locked one row in the middle of a batch: no job leaves the queue', async () => {
    const ids = await submit(3);
    const theirs = await sourcesOf(at.site);
    await at.sources.database.execute('SET SESSION innodb_lock_wait_timeout = 0');
    try {
      await theirs.sources.database.transaction(async (tx) => {
        await tx.execute('UPDATE job SET output = NULL WHERE id = ?', [ids[1]!]);
        await expect(clear()).rejects.toMatchObject({code: 'REFUSED'});
      });
    } finally {
      await at.sources.database.execute('SET SESSION innodb_lock_wait_timeout = DEFAULT');
      await theirs.close();
    }
    expect([await rows(), await handedOut(at.site)]).toEqual([ids, ids]);
  });

  test('a job that comes after all that were held are gone counts no return', async () => {
    await submit(501);
    const database = withMethods(at.sources.database, {
      transaction: async (work) => {
        const done = await at.sources.database.transaction(work);
        if ((await rows()).length === 0 && (await at.server.jobs()).length === 1) await submit(1);
        return done;
      },
    });
    expect((await clear({database})).queueLeft).toBe(1);
    expect((await at.server.jobs()).map(({retries}) => retries)).toEqual([0]);
  });

  test('K1: the same of a row that has ended: its batch goes together', async () => {
    const ids = await submit(3);
    await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ids[2]]);
    await at.site.query('CREATE TABLE plugin_job (job INT, FOREIGN KEY (job) REFERENCES job (id))');
    await at.site.query('INSERT INTO plugin_job VALUES (?)', [ids[2]]);
    await expect(clear({})).rejects.toMatchObject({code: 'REFUSED'});
    await at.site.query('DROP TABLE plugin_job');
    expect([await rows(), await handedOut(at.site)]).toEqual([ids, ids]);
  });

  test('clears the rows even if the worker cannot be stopped, and says so', async () => {
    const {worker} = await executeJob(at.site);
    await submit(1);
    const problem = new AtomctlError('FAILED', 'atom-worker.service is still active.');
    const stuck = asControl({stop: () => Promise.reject(problem), start: async () => {}});
    const result = await clear({worker: stuck});
    await worker.kill();
    expect(result).toMatchObject({
      cleared: 2,
      queueRemoved: 1,
      failure: problem,
      problems: [problem.message],
    });
  });

  test('K2: other jobs of the workers are interrupted only if that was agreed to', async () => {
    const {id, worker} = await executeJob(at.site);
    const calls: string[] = [];
    const control = asControl(
      {
        stop: async () => void calls.push('stop'),
        start: async () => void calls.push('start'),
      },
      [{id: 7, name: 'arFileImportJob'}],
    );
    await expect(clear({worker: control})).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('7 (arFileImportJob)'),
    });
    expect([calls, await rows()]).toEqual([[], [id]]);
    expect(await clear({worker: control, mayInterrupt: new Set([7])})).toMatchObject({
      cleared: 1,
      interruptedJobs: [7],
    });
    expect(calls).toEqual(['stop', 'start']);
    await worker.kill();
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
        queueLeft: 3,
        failure: null,
        problems: [expect.stringMatching(problem)],
      });
      expect(clearExitStatus(result)).toBe(1);
      expect((await where.server.status()).map(({total}) => total)).toContain(3);
      const again = await clear({allQueued: true}, where);
      expect([again.cleared, again.queueRemoved, clearExitStatus(again)]).toEqual([0, 0, 1]);
      await where.drop();
      await server.kill();
    },
  );

  test('a prefix that is not known: nothing is touched that may belong to a copy of this site', async () => {
    const [id] = await submit(1);
    const prefixes = {own: 'f'.repeat(32), also: [], foreign: async () => new Set<string>()};
    const result = await clear({queue: {...at.sources, prefixes}});
    expect(result).toMatchObject({
      cleared: 1,
      queueRemoved: 0,
      problems: [expect.stringMatching(/may still have 1 job of these under another function prefix/)],
    });
    expect(clearExitStatus(result)).toBe(1);
    expect(await handedOut(at.site)).toEqual([id]);
  });

  test('a prefix that is not known: an executing job of it is not cancelled as workers stop', async () => {
    const {worker} = await executeJob(at.site);
    const prefixes = {own: 'f'.repeat(32), also: [], foreign: async () => new Set<string>()};
    const nothing = asControl({stop: async () => {}, start: async () => {}});
    const result = await clear({queue: {...at.sources, prefixes}, worker: nothing});
    expect(result).toMatchObject({cleared: 1, queueRemoved: 0});
    // Gearman drops a cancelled job with its worker, and queues another one again.
    await worker.kill();
    await until(async () => (await at.server.status()).every(({running}) => running === 0));
    expect((await at.server.jobs()).map(({ignored}) => ignored)).toEqual([false]);
    await handedOut(at.site);
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
