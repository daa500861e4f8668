import {expect, test} from 'vitest';
import {probeSite} from '../../../src/jobs/live/queue-payloads.ts';
import {
  type MarkOptions,
  markExitStatus,
  markJobs,
  planMark,
  previewMark,
} from '../../../src/jobs/mark/mark.ts';
import {jobStats} from '../../../src/jobs/stats/stats.ts';
import {createKillSite, withMethods} from '../../support/jobs/kill-site.ts';
import {QUIET_HOST} from '../../support/quiet-host.ts';
import {cancelOther, crash, handedOut, insertLost} from '../../support/site/queue-site.ts';
import {until} from '../../support/until.ts';

const at = await createKillSite();

function markOptions(ids: readonly number[], options: Partial<MarkOptions> = {}): MarkOptions {
  return {
    ...at.sources,
    ids,
    as: 'completed',
    by: 'alice@archive',
    reason: null,
    culture: 'en',
    force: false,
    signal: new AbortController().signal,
    recheck: {wait: async () => {}, firstSeen: new Map()},
    ...options,
  };
}

async function mark(ids: readonly number[], options: Partial<MarkOptions> = {}) {
  const result = await markJobs(markOptions(ids, options), null);
  return {...result, exit: markExitStatus(result), first: result.marked[0]!};
}

async function insertFinished(): Promise<number> {
  const id = await at.site.insertJob({name: 'arFindingAidJob', status: 'running'});
  const line = (text: string) => `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${text}\n`;
  const log = line('Job started.') + line(`Parameters: {"id":"${id}"}`) + line('Job finished.');
  await at.site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
  return id;
}

const noteOf = async (id: number) =>
  (
    await at.site.query<{type_id: number | null; content: string}>(
      'SELECT type_id, content FROM note JOIN note_i18n USING (id) WHERE object_id = ?',
      [id],
    )
  )[0];

test('T12: a finished job is marked as completed, with a note that is no error', async () => {
  const id = await insertFinished();
  const {first, exit} = await mark([id], {reason: 'the disk was full'});
  expect(first).toEqual({
    id,
    was: 'finished',
    action: 'marked',
    message: `Job ${id} is marked as completed.`,
  });
  expect([exit, await at.statusOf(id)]).toEqual([0, 184]);
  const [row] = await at.site.query('SELECT completed_at FROM job WHERE id = ?', [id]);
  expect(row!.completed_at).toBe('2026-03-04 13:05:01');
  expect(await noteOf(id)).toEqual({
    type_id: null,
    content: expect.stringMatching(
      /^Marked as completed with atomctl by alice@archive on [\d: -]+, while it was finished\. Reason: the disk was full$/,
    ),
  });
});

test('D13: the durations of marked jobs count nowhere in jobs:stats', async () => {
  const finished = await insertFinished();
  const lost = await insertLost(at.site);
  await mark([finished]);
  await mark([lost], {as: 'error'});
  const stats = await jobStats({...at.sources, now: new Date(), filter: {ids: [finished, lost]}});
  expect(stats.counts).toMatchObject({completed: 1, error: 1});
  expect(stats.byName.map(({runSeconds, durationSeconds}) => [runSeconds, durationSeconds])).toEqual([
    [null, null],
  ]);
});

test('a lost job is marked as an error, an ended one as what it was not', async () => {
  const lost = await insertLost(at.site);
  const ended = await at.site.insertJob({name: 'arFindingAidJob', status: 'completed'});
  const endOf = async (id: number) =>
    (
      await at.site.query<{end: string}>('SELECT CAST(completed_at AS CHAR) AS end FROM job WHERE id = ?', [
        id,
      ])
    )[0]!.end;
  const before = await endOf(ended);
  const {marked, exit} = await mark([lost, ended], {as: 'error'});
  expect([await endOf(ended), await endOf(lost)]).toEqual([before, expect.stringMatching(/^2/)]);
  expect(marked.map(({was, action}) => [was, action])).toEqual([
    ['lost', 'marked'],
    ['ended', 'marked'],
  ]);
  expect([exit, await at.statusOf(lost), await at.statusOf(ended)]).toEqual([0, 185, 185]);
  expect(await noteOf(lost)).toMatchObject({type_id: 197});
  expect((await mark([ended], {as: 'error'})).first).toMatchObject({
    action: 'refused',
    message: expect.stringContaining('already'),
  });
});

test('a job that failed is marked as completed with a warning', async () => {
  const failed = await at.site.insertJob({name: 'arFindingAidJob', status: 'error'});
  const options = markOptions([failed]);
  const [planned] = previewMark(options, await planMark(options));
  expect(planned).toMatchObject({
    action: 'marked',
    message: `Job ${failed} would be marked as completed. Its row says that it ended with an error.`,
  });
});

test('executing and queued jobs are refused, also with --force, with the command that ends them', async () => {
  const {id: executing} = await at.execute();
  const again = await at.execute();
  await again.worker.kill();
  const {marked, exit} = await mark([executing, again.id, 999_999], {force: true, as: 'error'});
  expect(marked.map(({was, action}) => [was, action])).toEqual([
    ['executing', 'refused'],
    ['queued', 'refused'],
    [null, 'refused'],
  ]);
  expect(marked[0]!.message).toContain(`jobs:kill ${executing}`);
  expect(marked[1]!.message).toContain(`jobs:kill ${again.id}`);
  expect([exit, await at.statusOf(executing), await at.statusOf(again.id)]).toEqual([5, 183, 183]);
  expect((await mark([999_999])).exit).toBe(4);
});

test('a job that waits although its row has ended is refused, and removed by a forced kill', async () => {
  const {id, worker} = await at.execute();
  await worker.kill();
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  const {first, exit} = await mark([id]);
  expect(first).toMatchObject({was: 'queued', action: 'refused'});
  expect(first.message).toMatch(/although its row has ended\. .*: atomctl jobs:kill \d+ --force$/);
  expect([exit, await at.statusOf(id)]).toEqual([5, 185]);
  const refused = await at.kill([id]);
  expect([refused.exit, refused.first.message]).toEqual([
    5,
    expect.stringMatching(/still waits in Gearman.*: atomctl jobs:kill \d+ --force$/),
  ]);
  expect((await at.kill([id], {force: true})).first).toMatchObject({action: 'marked', gearman: 'removed'});
  expect((await mark([id])).exit).toBe(0);
});

test('whether one waits or was cancelled is not known beside a cancelled job: refused, unless the payloads tell', async () => {
  const {id, unique, worker} = await at.execute();
  await crash(worker, unique, at.server);
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  await cancelOther(at);
  const {first, exit} = await mark([id]);
  expect([first.was, first.action, exit]).toEqual(['uncertain', 'refused', 5]);
  expect(first.message).toMatch(/has it, waiting or cancelled\. .*give --probe\./);
  const probe = async () => (await probeSite(at.sources)).waiting;
  expect((await mark([id], {probe, force: true})).first).toMatchObject({was: 'queued', action: 'refused'});
  await at.kill([id], {force: true});
  await handedOut(at.site, 'arValidateCsvJob');
  expect((await mark([id], {probe})).exit).toBe(0);
});

test('one that no worker has begun, and whose row has ended, is found by a probe', async () => {
  const [id, other] = await at.submit(2);
  await at.site.query('UPDATE job SET status_id = NULL WHERE id IN (?)', [[id, other]]);
  const probe = async () => (await probeSite(at.sources)).waiting;
  const {first, exit} = await mark([id!], {probe});
  expect([first, exit]).toMatchObject([{was: 'queued', action: 'refused'}, 5]);
  expect(first.message).toContain(`atomctl jobs:kill ${id} --force`);
  expect(await handedOut(at.site)).toEqual([id, other]);
  expect((await mark([id!], {probe})).exit).toBe(0);
});

test('a job whose row was ended by hand while its worker goes on is refused', async () => {
  const {id} = await at.execute();
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  const {first, exit} = await mark([id], {force: true});
  expect(first).toMatchObject({was: 'executing', action: 'refused'});
  expect(first.message).toMatch(/assigned it to a worker\. This says how to end it: atomctl jobs:kill \d+$/);
  expect([exit, await at.statusOf(id)]).toEqual([5, 185]);
});

test.each(['finished', 'completed'])(
  'the plan says what speaks against an error for a job that is %s',
  async (state) => {
    const id = state === 'finished' ? await insertFinished() : await at.site.insertJob({status: 'completed'});
    const options = markOptions([id], {as: 'error'});
    const planned = previewMark(options, await planMark(options));
    expect(planned).toMatchObject([
      {
        action: 'marked',
        message:
          `Job ${id} would be marked as an error. ` +
          (state === 'finished'
            ? 'Its log says that it finished, and has no error.'
            : 'Its row says that it completed.'),
      },
    ]);
  },
);

test('T9: a job of which only the age is not sure is checked again after ten seconds and marked', async () => {
  const clock = async () => ({uncertaintyMs: 26 * 3_600_000, reason: 'the offset was not observed.'});
  const startedAt = at.sources.time.toWall(new Date(Date.now() - 3_600_000));
  const id = await at.site.insertJob({name: 'arFindingAidJob', status: 'running', startedAt});
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const {first} = await mark([id], {
    as: 'error',
    host: {...QUIET_HOST, clock},
    recheck: {wait, firstSeen: new Map()},
  });
  expect([first, waits]).toEqual([expect.objectContaining({was: 'lost', action: 'marked'}), [10_000]]);
});

test('an uncertain job is refused unless --force is given, and the queue is not probed', async () => {
  const [id] = await at.submit(1);
  const refused = await mark([id!], {as: 'error'});
  expect(refused.first).toMatchObject({was: 'uncertain', action: 'refused'});
  expect(refused.first.message).toMatch(/To mark it anyway, give --force\.$/);
  expect((await mark([id!], {as: 'error', force: true})).first.action).toBe('marked');
  expect((await at.server.jobs()).map(({retries}) => retries)).toEqual([0]);
});

test('a row whose log grows after its state was proved is left as it is', async () => {
  const id = await insertLost(at.site);
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      await at.site.query("UPDATE job SET output = 'a worker wrote this' WHERE id = ?", [id]);
      return at.sources.database.transaction(work);
    },
  });
  const {first, exit} = await mark([id], {database, as: 'error'});
  expect([first.action, exit, await at.statusOf(id)]).toEqual(['refused', 5, 183]);
  expect(first.message).toMatch(/changed meanwhile/);
});

test('interrupted, the rest is left as it is', async () => {
  const ids = [await insertFinished(), await insertFinished()];
  const controller = new AbortController();
  const database = withMethods(at.sources.database, {
    transaction: (work) => {
      controller.abort();
      return at.sources.database.transaction(work);
    },
  });
  const {marked, exit} = await mark(ids, {database, signal: controller.signal});
  expect(marked.map(({action}) => action)).toEqual(['marked', 'refused']);
  expect([exit, await at.statusOf(ids[1]!)]).toEqual([130, 183]);
});
