import {expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {startWorker, until} from '../../../support/sandbox.ts';
import {
  asControl,
  controlOf,
  endsMeanwhile,
  executeJob,
  handedOut,
  insertLost,
  submitJobs,
} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

test('the worker is restarted: the executing job never runs again, the next one does', async () => {
  const {id, worker} = await at.execute();
  const [next, waiting] = await at.submit(2);
  const control = controlOf(at, worker);
  const {killed, workerRestarted, workerProblem, exit} = await at.kill([id, waiting!], {worker: control});
  at.workers.push(control.worker);
  expect(killed.map((job) => [job.id, job.was, job.action, job.gearman])).toEqual([
    [id, 'executing', 'marked', 'removed'],
    [waiting, 'queued', 'marked', 'removed'],
  ]);
  expect([workerRestarted, workerProblem, exit, control.calls]).toEqual([true, null, 0, ['stop', 'start']]);
  await until(async () => (await at.statusOf(next!)) === 184 && (await at.server.jobs()).length === 0);
  expect(control.worker.started()).toEqual([next]);
  expect(await at.statusOf(id)).toBe(185);
});

test('another worker of its class that is free is not handed the job as its worker stops', async () => {
  const {id, unique, worker} = await at.execute();
  const free = await startWorker(at.site);
  at.workers.push(free);
  const isOut = async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.known;
  const stop = () => worker.stop().then(() => until(isOut));
  const {first, exit} = await at.kill([id], {worker: asControl({stop, start: async () => {}})});
  expect([first.action, first.gearman, exit]).toEqual(['marked', 'removed', 0]);
  const [next] = await at.submit(1);
  await until(async () => (await at.statusOf(next!)) === 184);
  expect(free.started()).toEqual([next]);
});

test('a job that ends before its worker is stopped: the worker, which has begun another job, goes on', async () => {
  const {ending, next, worker, calls, control} = await endsMeanwhile(at, 2);
  at.workers.push(worker);
  const {first, exit, interrupted} = await at.kill([ending], {worker: control});
  expect([first.action, first.gearman, exit, interrupted, calls]).toEqual(['refused', 'none', 5, [], []]);
  expect([await at.statusOf(ending), worker.started()]).toEqual([184, [ending, next]]);
});

test('a job that executes although its row has ended is named among those that a restart interrupts', async () => {
  const [{id}, ended] = [await at.execute(), await at.execute()];
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [ended.id]);
  const seen: number[][] = [];
  const {first} = await at.kill([id], {
    worker: {
      async workersOf(ids, executing) {
        seen.push(executing.map((job) => job.id));
        const interrupts = executing.filter((job) => !ids.has(job.id));
        return {stop: async () => {}, start: async () => {}, interrupts};
      },
    },
  });
  expect(seen.at(-1)).toEqual([id, ended.id]);
  expect([first.action, first.message]).toEqual([
    'refused',
    expect.stringContaining(`would also interrupt job ${ended.id}`),
  ]);
});

test('an interrupted import stays before those that wait', async () => {
  const {id, worker} = await at.execute();
  const imports = await executeJob(at.site, 'arFileImportJob');
  const waiting = await submitJobs(at, 2, 'arFileImportJob');
  const stop = async () => {
    await Promise.all([worker.stop(), imports.worker.stop()]);
    await until(async () => (await at.server.status()).every(({running}) => running === 0));
  };
  const control = asControl({stop, start: async () => {}}, [{id: imports.id, name: 'arFileImportJob'}]);
  const {first, exit, interrupted} = await at.kill([id], {worker: control, mayInterrupt: 'all'});
  expect([first.action, exit, interrupted]).toEqual(['marked', 0, [imports.id]]);
  expect(await handedOut(at.site, 'arFileImportJob')).toEqual([imports.id, ...waiting]);
});

test('if only one of two workers stops, its job is killed, and of the other one it is said that it goes on', async () => {
  const [one, other] = [await at.execute(), await at.execute()];
  const control = controlOf(at, one.worker);
  const half = asControl({
    stop: async () => {
      await one.worker.stop();
      await until(async () => (await at.server.statusOfUniqueKeys([one.unique]))[0]!.running === false);
      throw new AtomctlError('FAILED', 'atom-worker@2.service is still active.');
    },
    start: () => control.start(),
  });
  const {killed, workerProblem} = await at.kill([one.id, other.id], {worker: half});
  at.workers.push(control.worker);
  expect(killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
    ['executing', 'marked', 'removed'],
    ['executing', 'failed', 'cancelled'],
  ]);
  expect(killed[1]!.message).toMatch(/its worker did not stop\. Gearman will not hand it out again/);
  expect([workerProblem?.code, control.worker.started()]).toEqual(['FAILED', []]);
});

test('if the worker does not stop, the result says so, and the worker is started', async () => {
  const {id} = await at.execute();
  const calls: string[] = [];
  const stubborn = asControl({
    async stop() {
      throw new AtomctlError('FAILED', 'atom-worker.service is still active.');
    },
    async start() {
      calls.push('start');
    },
  });
  expect(await at.kill([id], {worker: stubborn})).toMatchObject({
    first: {
      was: 'executing',
      action: 'failed',
      gearman: 'cancelled',
      message: expect.stringContaining('its worker did not stop'),
    },
    workerRestarted: false,
    workerProblem: {message: 'atom-worker.service is still active.'},
    exit: 1,
  });
  expect(calls).toEqual(['start']);
});

test('if the worker does not come back, the result says why', async () => {
  const {id} = await at.execute();
  const lost = await insertLost(at.site);
  const broken = asControl({
    stop: async () => {},
    start: () => Promise.reject(new AtomctlError('FAILED', 'It did not come back.')),
  });
  const both = await at.kill([lost, id], {worker: broken});
  expect(both.killed.map(({action}) => action)).toEqual(['marked', 'failed']);
  expect(both).toMatchObject({
    workerRestarted: false,
    workerProblem: {message: 'It did not come back.'},
    exit: 1,
  });
});
