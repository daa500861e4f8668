import {expect, test} from 'vitest';
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
