import {expect, test} from 'vitest';
import type {WorkerStop} from '../../../../src/jobs/model/worker-control.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {submitBackground} from '../../../support/sandbox.ts';
import {asControl, controlOf, handedOut, insertLost} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

/** Restarts the worker; while it stops, the kill is interrupted, and then `meanwhile` happens. */
function interruptedRestart(
  control: Pick<WorkerStop, 'stop' | 'start'>,
  meanwhile: () => Promise<unknown> = async () => {},
) {
  const controller = new AbortController();
  const worker = asControl({
    async stop() {
      controller.abort();
      await control.stop();
      await meanwhile();
    },
    start: () => control.start(),
  });
  return {worker, signal: controller.signal};
}

test('the job whose worker was stopped is killed; the other jobs are left', async () => {
  const {id, worker} = await at.execute();
  const lost = await insertLost(at.site);
  const control = controlOf(at, worker);
  const {killed, exit} = await at.kill([id, lost], interruptedRestart(control));
  at.workers.push(control.worker);
  expect(killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
    ['executing', 'marked', 'removed'],
    ['lost', 'refused', 'none'],
  ]);
  expect([exit, control.worker.started(), await at.statusOf(lost)]).toEqual([130, [], 183]);
  expect(await at.server.jobs()).toEqual([]);
});

test('a job that enters the queue while the worker stops stays in the queue', async () => {
  const {id, worker} = await at.execute();
  // As AtoM does it: the row is there before Gearman has the job.
  const late = await insertLost(at.site);
  const control = {...controlOf(at, worker), start: async () => {}};
  const {killed, exit} = await at.kill(
    [id, late],
    interruptedRestart(control, () =>
      submitBackground(
        at.gearmand.endpoint,
        at.site.functionName('arFindingAidJob'),
        'late',
        JSON.stringify({name: 'arFindingAidJob', id: String(late)}),
      ),
    ),
  );
  expect(killed.map((job) => [job.id, job.action])).toEqual([
    [id, 'marked'],
    [late, 'refused'],
  ]);
  expect(killed[1]!.message).toMatch(/^Interrupted/);
  expect([exit, await at.statusOf(id), await at.statusOf(late)]).toEqual([130, 185, 183]);
  expect(await handedOut(at.site)).toEqual([late]);
});
