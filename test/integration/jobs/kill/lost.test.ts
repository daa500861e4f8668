import {expect, test} from 'vitest';
import {jobStats} from '../../../../src/jobs/stats/stats.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {insertLost} from '../../../support/site/queue-site.ts';
import {everyTable, insertAllKinds} from '../../../support/site/whole-site.ts';

const at = await createKillSite();

test('a lost job is marked as an error; Gearman has nothing of it', async () => {
  const id = await insertLost(at.site);
  const {first, exit} = await at.kill([id]);
  expect(first).toMatchObject({id, was: 'lost', action: 'marked', gearman: 'none'});
  expect([exit, await at.statusOf(id)]).toEqual([0, 185]);
});

test('D13: a killed job has failed, but its duration counts nowhere in jobs:stats', async () => {
  const id = await insertLost(at.site);
  await at.kill([id]);
  const stats = await jobStats({...at.sources, now: new Date(), filter: {ids: [id]}});
  expect(stats.byName).toMatchObject([{counts: {error: 1}, runSeconds: null, durationSeconds: null}]);
  expect(stats.failureReasons).toEqual([{reason: 'Killed with atomctl', count: 1, exampleId: id}]);
});

test('a deleted job leaves no row in any table, and no other row changes', async () => {
  await insertAllKinds(at.site);
  const before = await everyTable(at.site);
  const doomed = await at.site.insertJob({status: 'running', notes: [{text: 'n'}], userToken: 't'});
  expect(await at.kill([doomed], {deleteRows: true})).toMatchObject({
    exit: 0,
    first: {was: 'lost', action: 'deleted', gearman: 'none'},
  });
  expect(await everyTable(at.site)).toEqual(before);
});
