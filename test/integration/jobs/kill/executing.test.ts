import {expect, test} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {until} from '../../../support/sandbox.ts';
import {handedOut} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

test('is refused without --restart-worker, and the job continues', async () => {
  const {id, unique} = await at.execute();
  const {first, exit} = await at.kill([id]);
  expect(first).toMatchObject({
    was: 'executing',
    action: 'refused',
    gearman: 'remains',
    message: expect.stringContaining(`atomctl jobs:kill ${id} --restart-worker`),
  });
  expect([exit, await at.statusOf(id)]).toEqual([5, 183]);
  expect(await at.server.statusOfUniqueKeys([unique])).toEqual([{known: true, running: true}]);
});

test('with --force, the only executing job is cancelled: it is not handed out after its worker dies', async () => {
  const {id, worker} = await at.execute();
  const [next] = await at.submit(1);
  expect((await at.kill([id], {force: true})).first).toMatchObject({
    action: 'marked',
    gearman: 'cancelled',
  });
  await worker.kill();
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  expect(await handedOut(at.site)).toEqual([next]);
});

test('with --force, one of several executing jobs is cancelled by its key, and the other is not', async () => {
  const [one, other] = [await at.execute(), await at.execute()];
  const {first, exit} = await at.kill([one.id], {force: true});
  expect(first).toMatchObject({
    action: 'marked',
    gearman: 'cancelled',
    message: expect.stringMatching(/Its worker continues until the job ends and may change the row back/),
  });
  expect(exit).toBe(0);
  expect(await at.server.statusOfUniqueKeys([one.unique, other.unique])).toEqual([
    {known: true, running: true},
    {known: true, running: true},
  ]);
  await Promise.all([one.worker.kill(), other.worker.kill()]);
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  expect(await handedOut(at.site)).toEqual([other.id]);
});

/** As T5: the log shows another key than Gearman has. */
async function executeWithoutKey() {
  const executing = await at.execute();
  await at.site.query(
    `UPDATE job SET output = REPLACE(output, '"objectId":512', '"objectId":512,"scale":2') WHERE id = ?`,
    [executing.id],
  );
  return executing;
}

async function handedOutAfterDeathOf(...workers: {kill(): Promise<unknown>}[]) {
  await Promise.all(workers.map((worker) => worker.kill()));
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  return handedOut(at.site);
}

test('T5: with --force, an executing job without a key is not cancelled, nor another that runs, and that is said', async () => {
  const {id, worker} = await executeWithoutKey();
  const other = await at.execute();
  const {first} = await at.kill([id], {force: true});
  expect(first).toMatchObject({
    action: 'marked',
    gearman: 'remains',
    message: expect.stringMatching(
      /Its key in Gearman is not known.* To end it: atomctl worker:stop .*jobs:kill \d+ --force\./,
    ),
  });
  expect((await handedOutAfterDeathOf(worker, other.worker)).sort()).toEqual([id, other.id].sort());
});
