import {expect, test} from 'vitest';
import type {SiteCleared} from '../../../../src/jobs/clear/clear.ts';
import {clearLive} from '../../../../src/jobs/clear/clear-live.ts';
import {planClear} from '../../../../src/jobs/clear/plan.ts';
import {settleLiveFilter} from '../../../../src/jobs/live/list-live.ts';
import {liveStates} from '../../../../src/jobs/live/live-state.ts';
import type {LiveState} from '../../../../src/jobs/model/job.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {PLAIN_CLEAR} from '../../../support/jobs/plain-clear.ts';
import {startWorker, until} from '../../../support/sandbox.ts';
import {crash, executeJob} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

/** Jobs that begun once and wait again, so that their states are proved. */
async function queue(count: number): Promise<number[]> {
  const ids: number[] = [];
  for (let each = 0; each < count; each++) {
    const {id, unique, worker} = await executeJob(at.site, ['arFindingAidJob', 'arObjectMoveJob'][each]);
    await crash(worker, unique, at.server);
    ids.push(id);
  }
  return ids;
}

async function logOf(id: number): Promise<string> {
  const [row] = await at.site.query<{output: string}>('SELECT output FROM job WHERE id = ?', [id]);
  return row!.output;
}

/** A worker begins the finding aid that waits. */
async function begin(id: number): Promise<void> {
  const before = await logOf(id);
  at.workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob']));
  await until(async () => (await logOf(id)).length > before.length);
}

interface Meanwhile {
  question?: () => Promise<unknown>;
  /** Between the second proof and the change. */
  change?: () => Promise<unknown>;
}

async function clear(states: LiveState[], {question, change}: Meanwhile = {}): Promise<SiteCleared> {
  const {database} = at.sources;
  const filter = await settleLiveFilter({live: states}, () => liveStates(at.sources));
  const plan = await planClear({database, filter, inactive: false});
  await question?.();
  const report = async () => {
    const found = await liveStates(at.sources);
    await change?.();
    return found;
  };
  const site = {queue: at.sources, allQueued: false, worker: null, mayInterrupt: new Set<number>()};
  return clearLive({database, plan, ...PLAIN_CLEAR, ...site}, {states, report});
}

async function rows(): Promise<number[]> {
  return (await at.site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
}

test('a clear of queued jobs takes those that still wait', async () => {
  await queue(2);
  expect(await clear(['queued'])).toMatchObject({cleared: 2, queueRemoved: 2, problems: []});
  expect(await rows()).toEqual([]);
});

test.each<keyof Meanwhile>(['question', 'change'])(
  'a queued job that begins before the %s is over stays',
  async (when) => {
    const [begun] = await queue(2);
    const cleared = await clear(['queued'], {[when]: () => begin(begun!)});
    expect(cleared).toMatchObject({cleared: 1, queueRemoved: 1});
    const state = when === 'question' ? 'executing' : 'changed';
    expect(cleared.problems).toEqual([`Kept 1 job that is no longer queued: ${begun} (${state}).`]);
    expect(await rows()).toEqual([begun]);
  },
);

test.each<keyof Meanwhile>(['question', 'change'])(
  'a job that ends before the %s is over stays',
  async (when) => {
    const {id} = await at.execute();
    const end = () => at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
    const {cleared, problems} = await clear(['executing'], {[when]: end});
    const state = when === 'question' ? 'ended' : 'changed';
    expect([cleared, problems]).toEqual([0, [`Kept 1 job that is no longer executing: ${id} (${state}).`]]);
    expect(await rows()).toEqual([id]);
  },
);

test('an executing job goes whose log grows', async () => {
  const {id} = await at.execute();
  const grow = () => at.site.query("UPDATE job SET output = CONCAT(output, 'more') WHERE id = ?", [id]);
  expect(await clear(['executing'], {question: grow, change: grow})).toMatchObject({
    cleared: 1,
    problems: [],
  });
});
