import {expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {createKillSite, withMethods} from '../../../support/jobs/kill-site.ts';
import {handedOut, insertLost} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

test('each job has its own result; a missing job alone is exit status 4, among others 1', async () => {
  const {id: executing} = await at.execute();
  const lost = await insertLost(at.site);
  const {killed, exit} = await at.kill([999_999, lost, executing]);
  expect(killed.map(({id, was, action, gearman}) => [id, was, action, gearman])).toEqual([
    [999_999, null, 'refused', 'none'],
    [lost, 'lost', 'marked', 'none'],
    [executing, 'executing', 'refused', 'remains'],
  ]);
  expect(exit).toBe(1);
  expect((await at.kill([999_999])).exit).toBe(4);
  expect((await at.kill([])).exit).toBe(0);
});

test('if the database fails after the jobs left the queue, each result says so; a second kill completes it', async () => {
  const ids = await at.submit(3);
  const lost = async () => (await at.inGearman()) < 3;
  const gone = new AtomctlError('DATABASE_LOST', 'The database went away.');
  const database = withMethods(at.sources.database, {
    query: async (sql, values) => {
      if (await lost()) throw gone;
      return at.sources.database.query(sql, values);
    },
    // It begins as soon as jobs are out of the queue.
    transaction: async (work) => {
      if (await lost()) throw gone;
      return at.sources.database.transaction(work);
    },
  });
  const {killed, exit} = await at.kill(ids.slice(0, 2), {database});
  expect(killed.map(({id, was, action, gearman}) => [id, was, action, gearman])).toEqual([
    [ids[0], 'queued', 'failed', 'removed'],
    [ids[1], 'queued', 'failed', 'removed'],
  ]);
  expect(killed[0]!.message).toMatch(
    /is removed from Gearman .* The database went away\..*same command again/,
  );
  expect(exit).toBe(1);
  const second = await at.kill(ids.slice(0, 2));
  expect(second.killed.map(({was, action}) => [was, action])).toEqual([
    ['lost', 'marked'],
    ['lost', 'marked'],
  ]);
  expect(await handedOut(at.site)).toEqual([ids[2]]);
});

test('if the connection to the database is lost after the job left the queue, its row is changed on a new one', async () => {
  const [id, other] = await at.submit(2);
  let lost = false;
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      if (!lost && (await at.inGearman()) < 2) {
        lost = true;
        throw new AtomctlError('DATABASE_LOST', 'The connection was lost.');
      }
      return at.sources.database.transaction(work);
    },
  });
  const {first, exit} = await at.kill([id!], {database});
  expect([lost, first.action, first.gearman, exit]).toEqual([true, 'marked', 'removed', 0]);
  expect([await at.statusOf(id!), await handedOut(at.site)]).toEqual([185, [other]]);
});

test('an interrupted kill completes the jobs that left the queue and leaves the rest', async () => {
  const [queued] = await at.submit(1);
  const lost = await insertLost(at.site);
  const controller = new AbortController();
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      if ((await at.inGearman()) === 0) controller.abort();
      return at.sources.database.transaction(work);
    },
  });
  const {killed, exit} = await at.kill([queued!, lost], {database, signal: controller.signal});
  expect(killed.map(({action}) => action)).toEqual(['marked', 'refused']);
  expect([killed[1]!.message, exit]).toEqual([expect.stringMatching(/^Interrupted/), 130]);
  expect(await at.statusOf(lost)).toBe(183);
  await expect(at.kill([lost], {signal: controller.signal})).rejects.toMatchObject({code: 'INTERRUPTED'});
});
