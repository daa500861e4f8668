import {expect, test} from 'vitest';
import {takeLock} from '../../../../src/gearman/lock.ts';
import {type LiveReport, liveStates} from '../../../../src/jobs/live/live-state.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {createKillSite, withMethods} from '../../../support/jobs/kill-site.ts';
import {crash, executeJob, handedOut} from '../../../support/site/queue-site.ts';

function statesOf({verdicts}: LiveReport): Map<number, string> {
  return new Map([...verdicts].map(([id, {state}]) => [id, state]));
}

const at = await createKillSite();

test('the third of five is never handed out, the others keep their order, its row says why it ended', async () => {
  const ids = await at.submit(5);
  const {killed, exit, workerRestarted} = await at.kill([ids[2]!], {reason: 'submitted twice'});
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
  expect(await at.statusOf(ids[0]!)).toBe(183);
});

test('several at once, one of them queued again after its worker died, one named twice', async () => {
  const crashed = await executeJob(at.site);
  const ids = await at.submit(3);
  await crash(crashed.worker, crashed.unique, at.server);
  const {killed, exit} = await at.kill([crashed.id, ids[0]!, ids[0]!]);
  expect(killed.map(({id, was, gearman}) => [id, was, gearman])).toEqual([
    [crashed.id, 'queued', 'removed'],
    [ids[0], 'queued', 'removed'],
  ]);
  expect([exit, await handedOut(at.site)]).toEqual([0, ids.slice(1)]);
});

test.each([false, true])(
  'another atomctl never reports the job as lost after it left Gearman and before its row changes; deleted: %s',
  async (deleteRows) => {
    const crashed = await executeJob(at.site);
    const [waiting, session] = await at.submit(2);
    await crash(crashed.worker, crashed.unique, at.server);
    const seen: Map<number, string>[] = [];
    const database = withMethods(at.sources.database, {
      transaction: async (work) => {
        // A transaction before that is a rehearsal.
        if ((await at.inGearman()) === 3) return at.sources.database.transaction(work);
        seen.push(statesOf(await liveStates(at.sources)));
        return at.sources.database.transaction(work);
      },
    });
    const {killed} = await at.kill([crashed.id, waiting!], {database, deleteRows});
    expect(new Set(killed.map(({action}) => action))).toEqual(new Set([deleteRows ? 'deleted' : 'marked']));
    expect(killed.map(({gearman}) => gearman)).toEqual(['removed', 'removed']);
    expect(seen.map((states) => states.size)).toEqual([3, 2]);
    expect(seen.flatMap((states) => [...states.values()])).not.toContain('lost');
    expect(statesOf(await liveStates(at.sources))).toEqual(new Map([[session, 'uncertain']]));
  },
);

test('if rows change slowly, other atomctls may probe the queue meanwhile', async () => {
  const ids = await at.submit(102);
  const free: boolean[] = [];
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      if ((await at.inGearman()) === 102) return at.sources.database.transaction(work);
      const lock = await takeLock(at.gearmand.address, PROBE_LOCK, {
        timeoutSeconds: 2,
        clientId: newProbeId(Date.now()),
      });
      free.push(lock !== null);
      await lock?.release();
      await new Promise((resolve) => setTimeout(resolve, 2100));
      return at.sources.database.transaction(work);
    },
  });
  const {killed} = await at.kill(ids, {database});
  expect(new Set(killed.map(({action}) => action))).toEqual(new Set(['marked']));
  expect(free).toEqual([false, true]);
});
