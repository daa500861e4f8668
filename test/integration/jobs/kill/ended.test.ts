import {expect, test} from 'vitest';
import {createKillSite, withMethods} from '../../../support/jobs/kill-site.ts';
import {insertAllKinds} from '../../../support/site/whole-site.ts';

const at = await createKillSite();

test('an ended job is refused without --force and --delete; with them its Gearman job goes too', async () => {
  const {completed, error} = await insertAllKinds(at.site);
  const [again] = await at.submit(1);
  await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [again]);
  const refused = await at.kill([completed, again!]);
  expect(refused.killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
    ['ended', 'refused', 'none'],
    ['ended', 'refused', 'none'],
  ]);
  expect(refused.exit).toBe(5);
  expect(refused.first.message).toContain('completed');
  expect((await at.server.jobs()).length).toBe(1);

  const forced = await at.kill([completed, again!], {force: true});
  expect(forced.killed.map(({was, action, gearman}) => [was, action, gearman])).toEqual([
    ['ended', 'marked', 'none'],
    ['ended', 'marked', 'removed'],
  ]);
  expect(await at.server.jobs()).toEqual([]);
  expect((await at.kill([error], {deleteRows: true})).first).toMatchObject({
    was: 'ended',
    action: 'deleted',
  });
  expect(await at.statusOf(error)).toBeNull();
});

test('a job whose row was ended by hand while its worker goes on is executing', async () => {
  const {id} = await at.execute();
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  const refused = await at.kill([id], {deleteRows: true});
  expect(refused.first).toMatchObject({was: 'executing', action: 'refused', gearman: 'remains'});
  expect(refused.first.message).toContain(`jobs:kill ${id} --restart-worker`);
  expect([refused.exit, await at.statusOf(id)]).toEqual([5, 185]);
  const forced = await at.kill([id], {deleteRows: true, force: true});
  expect(forced.first).toMatchObject({was: 'executing', action: 'deleted', gearman: 'cancelled'});
  expect(forced.first.message).toMatch(/worker/);
});

test('a job that ends between two reads of its row keeps the row', async () => {
  const [id] = await at.submit(1);
  let queries = 0;
  const database = withMethods(at.sources.database, {
    query: async (sql, values) => {
      queries += 1;
      if (queries === 2) await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
      return at.sources.database.query(sql, values);
    },
  });
  const {first} = await at.kill([id!], {database, servers: []});
  expect(first).toMatchObject({
    was: 'ended',
    action: 'refused',
    message: expect.stringMatching(/ended meanwhile/),
  });
  expect(await at.statusOf(id!)).toBe(184);
});
