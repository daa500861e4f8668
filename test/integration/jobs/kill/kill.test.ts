import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {takeLock} from '../../../../src/gearman/lock.ts';
import {type KillOptions, killExitStatus, killJobs} from '../../../../src/jobs/kill/kill.ts';
import {type LiveReport, liveStates} from '../../../../src/jobs/live/live-state.ts';
import type {WorkerControl} from '../../../../src/jobs/model/worker-control.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  submitJob,
  until,
  type WorkerProcess,
} from '../../../support/sandbox.ts';
import {
  controlOf,
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  insertLost,
  type QueueSite,
} from '../../../support/site/queue-site.ts';
import {everyTable, insertAllKinds} from '../../../support/site/whole-site.ts';

function statesOf({verdicts}: LiveReport): Map<number, string> {
  return new Map([...verdicts].map(([id, {state}]) => [id, state]));
}

let gearmand: GearmanProcess;
let at: QueueSite;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  await handedOut(at.site);
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
});

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

async function kill(ids: readonly number[], options: Partial<KillOptions> = {}, where = at) {
  const result = await killJobs({
    ...where.sources,
    ids,
    force: false,
    deleteRows: false,
    by: 'alice@archive',
    reason: null,
    culture: 'en',
    worker: null,
    signal: new AbortController().signal,
    ...options,
  });
  return {...result, exit: killExitStatus(result), first: result.killed[0]!};
}

async function submit(count: number, where = at): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) ids.push((await submitJob(where.site)).id);
  return ids;
}

async function execute(where = at) {
  const executing = await executeJob(where.site);
  workers.push(executing.worker);
  return executing;
}

async function statusOf(id: number): Promise<number | null> {
  return (await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]))[0]?.status_id ?? null;
}

describe('a queued job', () => {
  test('the third of five: never handed out, the others in their order, its row says why it ended', async () => {
    const ids = await submit(5);
    const {killed, exit, workerRestarted} = await kill([ids[2]!], {reason: 'submitted twice'});
    expect(killed).toEqual([
      {
        id: ids[2],
        was: 'queued',
        action: 'marked',
        gearman: 'removed',
        message: expect.stringMatching(/marked/),
      },
    ]);
    expect([exit, workerRestarted]).toEqual([0, false]);
    expect(await handedOut(at.site)).toEqual(ids.filter((id) => id !== ids[2]));
    const [row] = await at.site.query(
      `SELECT job.status_id, job.completed_at, note.type_id, note_i18n.content FROM job
       JOIN note ON note.object_id = job.id JOIN note_i18n ON note_i18n.id = note.id WHERE job.id = ?`,
      [ids[2]],
    );
    expect(row).toMatchObject({
      status_id: 185,
      completed_at: expect.anything(),
      type_id: 197,
      content: expect.stringMatching(/alice@archive.*while it was queued\. Reason: submitted twice$/),
    });
    expect(await statusOf(ids[0]!)).toBe(183);
  });

  test('queued again after its worker died, and several at once, one of them named twice', async () => {
    const crashed = await executeJob(at.site);
    const ids = await submit(3);
    await crash(crashed.worker, crashed.unique, at.server);
    const {killed, exit} = await kill([crashed.id, ids[0]!, ids[0]!]);
    expect(killed.map(({id, was, gearman}) => [id, was, gearman])).toEqual([
      [crashed.id, 'queued', 'removed'],
      [ids[0], 'queued', 'removed'],
    ]);
    expect([exit, await handedOut(at.site)]).toEqual([0, ids.slice(1)]);
  });

  test.each([false, true])(
    'is never found lost by another atomctl between its two ends, in Gearman and in its row; deleted: %s',
    async (deleteRows) => {
      const crashed = await executeJob(at.site);
      const [waiting, session] = await submit(2);
      await crash(crashed.worker, crashed.unique, at.server);
      const seen: Map<number, string>[] = [];
      const database = withMethods(at.sources.database, {
        transaction: async (work) => {
          expect(await at.server.statusOfUniqueKeys([crashed.unique])).toMatchObject([{known: false}]);
          seen.push(statesOf(await liveStates(at.sources)));
          return at.sources.database.transaction(work);
        },
      });
      const {killed} = await kill([crashed.id, waiting!], {database, deleteRows});
      expect(new Set(killed.map(({action}) => action))).toEqual(new Set([deleteRows ? 'deleted' : 'marked']));
      expect(killed.map(({gearman}) => gearman)).toEqual(['removed', 'removed']);
      expect(seen.map((states) => states.size)).toEqual([3, 2]);
      expect(seen.flatMap((states) => [...states.values()])).not.toContain('lost');
      expect(statesOf(await liveStates(at.sources))).toEqual(new Map([[session, 'uncertain']]));
    },
  );

  test('whose row changes slowly keeps the queue from no other atomctl for long', async () => {
    const ids = await submit(2);
    const free: boolean[] = [];
    const database = withMethods(at.sources.database, {
      transaction: async (work) => {
        const lock = await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2});
        free.push(lock !== null);
        await lock?.release();
        await new Promise((resolve) => setTimeout(resolve, 2100));
        return at.sources.database.transaction(work);
      },
    });
    expect((await kill(ids, {database})).killed.map(({action}) => action)).toEqual(['marked', 'marked']);
    expect(free).toEqual([false, true]);
  });

  test('deleted: no row of any table is left of it, and every other is', async () => {
    await insertAllKinds(at.site);
    const before = await everyTable(at.site);
    const doomed = await at.site.insertJob({status: 'running', notes: [{text: 'n'}], userToken: 't'});
    expect(await kill([doomed], {deleteRows: true})).toMatchObject({
      exit: 0,
      first: {was: 'lost', action: 'deleted', gearman: 'none'},
    });
    expect(await everyTable(at.site)).toEqual(before);
  });
});

describe('an executing job', () => {
  test('is refused without leave to restart its worker, and goes on', async () => {
    const {id, unique} = await execute();
    const {first, exit} = await kill([id]);
    expect(first).toMatchObject({
      was: 'executing',
      action: 'refused',
      gearman: 'remains',
      message: expect.stringContaining(`atomctl jobs:kill ${id} --restart-worker`),
    });
    expect([exit, await statusOf(id)]).toEqual([5, 183]);
    expect(await at.server.statusOfUniqueKeys([unique])).toEqual([{known: true, running: true}]);
  });

  test('with its worker restarted is never handed out again, and the next one is', async () => {
    const {id, worker} = await execute();
    const [next, waiting] = await submit(2);
    const control = controlOf(at, worker);
    const {killed, workerRestarted, workerProblem, exit} = await kill([id, waiting!], {worker: control});
    workers.push(control.worker);
    expect(killed.map((job) => [job.id, job.was, job.action, job.gearman])).toEqual([
      [id, 'executing', 'marked', 'removed'],
      [waiting, 'queued', 'marked', 'removed'],
    ]);
    expect([workerRestarted, workerProblem, exit, control.calls]).toEqual([true, null, 0, ['stop', 'start']]);
    await until(async () => (await statusOf(next!)) === 184 && (await at.server.jobs()).length === 0);
    expect(control.worker.started()).toEqual([next]);
    expect(await statusOf(id)).toBe(185);
  });

  test('is killed all the same by an interruption that comes while its worker stops; the others are left', async () => {
    const {id, worker} = await execute();
    const lost = await insertLost(at.site);
    const control = controlOf(at, worker);
    const controller = new AbortController();
    const interrupted: WorkerControl = {
      stop: async () => {
        controller.abort();
        await control.stop();
      },
      start: () => control.start(),
    };
    const {killed, exit} = await kill([id, lost], {worker: interrupted, signal: controller.signal});
    workers.push(control.worker);
    expect(killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
      ['executing', 'marked', 'removed'],
      ['lost', 'refused', 'none'],
    ]);
    expect([exit, control.worker.started(), await statusOf(lost)]).toEqual([130, [], 183]);
    expect(await at.server.jobs()).toEqual([]);
  });

  test('by one of two workers, the other of which does not stop, is killed all the same', async () => {
    const [one, other] = [await execute(), await execute()];
    const control = controlOf(at, one.worker);
    const half: WorkerControl = {
      stop: async () => {
        await one.worker.stop();
        await until(async () => (await at.server.statusOfUniqueKeys([one.unique]))[0]!.running === false);
        throw new AtomctlError('FAILED', 'atom-worker@2.service is still active.');
      },
      start: () => control.start(),
    };
    const {killed, workerProblem} = await kill([one.id, other.id], {worker: half});
    workers.push(control.worker);
    expect(killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
      ['executing', 'marked', 'removed'],
      ['executing', 'refused', 'remains'],
    ]);
    expect([workerProblem?.code, control.worker.started()]).toEqual(['FAILED', []]);
  });

  test('by a worker that does not stop is refused, and the worker is started all the same', async () => {
    const {id} = await execute();
    const calls: string[] = [];
    const stubborn: WorkerControl = {
      async stop() {
        throw new AtomctlError('FAILED', 'atom-worker.service is still active.');
      },
      async start() {
        calls.push('start');
      },
    };
    expect(await kill([id], {worker: stubborn})).toMatchObject({
      first: {was: 'executing', action: 'refused', message: expect.stringContaining('could not be stopped')},
      workerRestarted: false,
      workerProblem: {message: 'atom-worker.service is still active.'},
      exit: 5,
    });
    expect(calls).toEqual(['start']);
    const lazy: WorkerControl = {
      stop: async () => {},
      start: () => Promise.reject(new AtomctlError('FAILED', 'It did not come back.')),
    };
    const lost = await insertLost(at.site);
    const both = await kill([lost, id], {worker: lazy});
    expect(both.killed.map(({action}) => action)).toEqual(['marked', 'refused']);
    expect(both).toMatchObject({
      workerRestarted: false,
      workerProblem: {message: 'It did not come back.'},
      exit: 1,
    });
  });

  test('by force is cancelled where it is the only one, so that not even its worker’s death revives it', async () => {
    const {id, worker} = await execute();
    const [next] = await submit(1);
    expect((await kill([id], {force: true})).first).toMatchObject({action: 'marked', gearman: 'cancelled'});
    await worker.kill();
    await until(async () => (await at.server.status()).every(({running}) => running === 0));
    expect(await handedOut(at.site)).toEqual([next]);
  });

  test('by force among several is not guessed at', async () => {
    const [one, other] = [await execute(), await execute()];
    const {first, exit} = await kill([one.id], {force: true});
    expect(first).toMatchObject({
      action: 'marked',
      gearman: 'remains',
      message: expect.stringMatching(/may still/),
    });
    expect(exit).toBe(0);
    expect(await at.server.statusOfUniqueKeys([one.unique, other.unique])).toEqual([
      {known: true, running: true},
      {known: true, running: true},
    ]);
  });
});

describe('a job that has ended', () => {
  test('is refused unless its row is to go or to change by force; what waits of it goes then', async () => {
    const {completed, error} = await insertAllKinds(at.site);
    const [again] = await submit(1);
    await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [again]);
    const refused = await kill([completed, again!]);
    expect(refused.killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
      ['finished', 'refused', 'none'],
      ['finished', 'refused', 'none'],
    ]);
    expect(refused.exit).toBe(5);
    expect(refused.first.message).toContain('completed');
    expect((await at.server.jobs()).length).toBe(1);

    const forced = await kill([completed, again!], {force: true});
    expect(forced.killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
      ['finished', 'marked', 'none'],
      ['finished', 'marked', 'removed'],
    ]);
    expect(await at.server.jobs()).toEqual([]);
    expect((await kill([error], {deleteRows: true})).first).toMatchObject({
      was: 'ended',
      action: 'deleted',
    });
    expect(await statusOf(error)).toBeNull();
  });

  test('while it was looked at keeps its row', async () => {
    const [id] = await submit(1);
    const database = beforeQuery(at.sources.database, async (count) => {
      if (count === 2) await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
    });
    const {first} = await kill([id!], {database, servers: []});
    expect(first).toMatchObject({
      was: 'ended',
      action: 'refused',
      message: expect.stringMatching(/ended while/),
    });
    expect(await statusOf(id!)).toBe(184);
  });
});

describe('several jobs', () => {
  test('each is told on its own; a missing one is exit 4 alone, and 1 among others', async () => {
    const {id: executing} = await execute();
    const lost = await insertLost(at.site);
    const {killed, exit} = await kill([999_999, lost, executing]);
    expect(killed.map(({id, was, action, gearman}) => [id, was, action, gearman])).toEqual([
      [999_999, null, 'refused', 'none'],
      [lost, 'lost', 'marked', 'none'],
      [executing, 'executing', 'refused', 'remains'],
    ]);
    expect(exit).toBe(1);
    expect((await kill([999_999])).exit).toBe(4);
    expect((await kill([])).exit).toBe(0);
  });

  test('where the database goes away half-way, every one is told, and a second kill completes it', async () => {
    const ids = await submit(3);
    let lost = false;
    const gone = new AtomctlError('DATABASE_LOST', 'The database went away.');
    const database = withMethods(at.sources.database, {
      query: async (sql, values) => {
        if (lost) throw gone;
        return at.sources.database.query(sql, values);
      },
      // Begun as soon as jobs are out of the queue.
      transaction: async () => {
        lost = true;
        throw gone;
      },
    });
    const {killed, exit} = await kill(ids.slice(0, 2), {database});
    expect(killed.map(({id, was, action, gearman}) => [id, was, action, gearman])).toEqual([
      [ids[0], 'queued', 'refused', 'removed'],
      [ids[1], 'queued', 'refused', 'removed'],
    ]);
    expect(killed[0]!.message).toContain('The database went away.');
    expect(exit).toBe(5);
    const second = await kill(ids.slice(0, 2));
    expect(second.killed.map(({was, action}) => [was, action])).toEqual([
      ['lost', 'marked'],
      ['lost', 'marked'],
    ]);
    expect(await handedOut(at.site)).toEqual([ids[2]]);
  });

  test('interrupted: what is out of the queue is completed, the rest is left and told', async () => {
    const [queued] = await submit(1);
    const lost = await insertLost(at.site);
    const controller = new AbortController();
    const database = withMethods(at.sources.database, {
      transaction: (work) => {
        controller.abort();
        return at.sources.database.transaction(work);
      },
    });
    const {killed, exit} = await kill([queued!, lost], {database, signal: controller.signal});
    expect(killed.map(({action}) => action)).toEqual(['marked', 'refused']);
    expect([killed[1]!.message, exit]).toEqual([expect.stringMatching(/^Interrupted/), 130]);
    expect(await statusOf(lost)).toBe(183);
    await expect(kill([lost], {signal: controller.signal})).rejects.toMatchObject({code: 'INTERRUPTED'});
  });
});

describe('where Gearman cannot be sure', () => {
  test('a server that is down: nothing is lost for certain, nothing is killed but by force', async () => {
    const down = await startGearmand();
    const where = await createQueueSite(down);
    const lost = await insertLost(where.site);
    await down.kill();
    const {first, exit} = await kill([lost], {}, where);
    expect([first, exit]).toEqual([
      {
        id: lost,
        was: 'uncertain',
        action: 'refused',
        gearman: 'remains',
        message: expect.stringContaining('cannot be reached'),
      },
      5,
    ]);
    expect((await kill([lost], {force: true}, where)).first).toMatchObject({
      was: 'uncertain',
      action: 'marked',
      gearman: 'remains',
    });
    await where.drop();
  });

  test('another atomctl that goes on looking: a queued job is refused', async () => {
    const [id] = await submit(1);
    const lock = await takeLock(gearmand.address, PROBE_LOCK, {timeoutSeconds: 2});
    const {first, exit} = await kill([id!], {timeoutSeconds: 0.1});
    expect([first.action, first.gearman, exit]).toEqual(['refused', 'remains', 5]);
    expect(first.message).toContain('Another atomctl');
    await lock!.release();
    expect((await kill([id!])).first).toMatchObject({action: 'marked', gearman: 'removed'});
  });

  test("Perl's server: what waits is refused and stays, what is lost is killed", async () => {
    const perl = await startPerlGearmand();
    const where = await createQueueSite(perl);
    const lost = await insertLost(where.site, '{"name":"arFindingAidJob","id":7}');
    expect((await kill([lost], {}, where)).first).toMatchObject({was: 'lost', action: 'marked'});
    const [queued] = await submit(1, where);
    const {first, exit} = await kill([queued!], {}, where);
    expect([first.action, first.gearman, exit]).toEqual(['refused', 'remains', 5]);
    expect(first.message).toContain('not gearmand');
    const [row] = (await where.server.status()).filter(({total}) => total > 0);
    expect(row).toMatchObject({total: 1, running: 0});
    await where.drop();
    await perl.kill();
  });

  test.each([
    {limit: 1, returned: false, executing: 'refused', queued: 'refused'},
    {limit: 2, returned: false, executing: 'refused', queued: 'marked'},
    {limit: 2, returned: true, executing: 'refused', queued: 'refused'},
    {limit: 3, returned: false, executing: 'marked', queued: 'marked'},
    {limit: 3, returned: true, executing: 'refused', queued: 'marked'},
  ])(
    'retries limited to $limit, a job returned before: $returned; executing is $executing, queued $queued',
    async ({limit, returned, executing, queued}) => {
      const limited = await startGearmand([`--job-retries=${limit}`]);
      const where = await createQueueSite(limited);
      const others = await submit(1, where);
      if (returned) {
        const crashed = await executeJob(where.site, 'arObjectMoveJob');
        await crash(crashed.worker, crashed.unique, where.server);
      }
      const [target] = await submit(1, where);
      const busy = await executeJob(where.site, 'arUpdatePublicationStatusJob');
      const control = controlOf(where, busy.worker, ['--abilities=arUpdatePublicationStatusJob']);

      const restart = await kill([busy.id], {worker: control}, where);
      if (executing === 'refused') {
        expect(restart).toMatchObject({
          first: {action: 'refused', gearman: 'remains'},
          exit: 5,
          workerRestarted: false,
        });
        expect([control.calls, restart.first.message]).toEqual([
          [],
          expect.stringContaining('limits retries'),
        ]);
      } else expect(restart).toMatchObject({first: {action: 'marked', gearman: 'removed'}, exit: 0});

      const {first, exit} = await kill([target!], {}, where);
      expect([first.action, first.gearman, exit]).toEqual(
        queued === 'refused' ? ['refused', 'remains', 5] : ['marked', 'removed', 0],
      );
      expect(await handedOut(where.site)).toEqual([...others, ...(queued === 'refused' ? [target] : [])]);
      if (returned) expect(await handedOut(where.site, 'arObjectMoveJob')).toHaveLength(1);
      await control.worker.kill();
      await where.drop();
      await limited.kill();
    },
  );
});

/** The database with some of its methods replaced. */
function withMethods(database: Database, replaced: Partial<Database>): Database {
  return new Proxy(database, {
    get(target, name) {
      const value = Reflect.get(name in replaced ? replaced : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Calls `hook` before each query, with its number from 1. */
function beforeQuery(database: Database, hook: (count: number) => Promise<void>): Database {
  let count = 0;
  return withMethods(database, {
    query: async (sql, values) => {
      await hook(++count);
      return database.query(sql, values);
    },
  });
}
