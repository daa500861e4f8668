import {expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {until} from '../../../support/sandbox.ts';
import {asControl, controlOf, insertLost} from '../../../support/site/queue-site.ts';

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

test('if only one of two workers stops, its job is killed and the other one is refused', async () => {
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
    ['executing', 'refused', 'remains'],
  ]);
  expect([workerProblem?.code, control.worker.started()]).toEqual(['FAILED', []]);
});

test('if the worker does not stop, the job is refused and the worker is started', async () => {
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
    first: {was: 'executing', action: 'refused', message: expect.stringContaining('could not be stopped')},
    workerRestarted: false,
    workerProblem: {message: 'atom-worker.service is still active.'},
    exit: 5,
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
  expect(both.killed.map(({action}) => action)).toEqual(['marked', 'refused']);
  expect(both).toMatchObject({
    workerRestarted: false,
    workerProblem: {message: 'It did not come back.'},
    exit: 1,
  });
});
