import {type WorkerControl, whileStopped} from '../model/worker-control.ts';
import {type ClearQueueOptions, clearQueue, type QueueCleared} from './clear-queue.ts';
import {type ClearOptions, type ClearResult, clearJobs} from './clear-rows.ts';

export interface ClearSiteOptions extends ClearOptions {
  /** How to reach the site's queue; null leaves Gearman alone. */
  queue: Omit<ClearQueueOptions, 'filter' | 'lastId' | 'signal' | 'database'> | null;
  /** Ends executing jobs too, by stopping their workers first; null leaves these alone. */
  worker: WorkerControl | null;
}

export interface SiteCleared extends Omit<ClearResult, 'downloadsKept'>, Omit<QueueCleared, 'problem'> {
  /** What did not go as it should, in sentences. */
  problems: string[];
}

/**
 * Clears a site: the queued jobs leave Gearman first, so that none begins while its row goes, then the rows. Workers
 * that may be restarted are stopped before and started after, whatever happens between. A failure on the way is
 * reported with what was done by then; a second run clears the rest.
 */
export async function clearSite(options: ClearSiteOptions): Promise<SiteCleared> {
  const {worker} = options;
  if (worker === null) return clearBoth(options);
  const {result: cleared, problems} = await whileStopped(worker, async () => {
    const begunAgain = options.signal.aborted ? [BEGUN_AGAIN] : [];
    const done = await clearBoth(options);
    return {...done, problems: [...done.problems, ...begunAgain]};
  });
  const failure = cleared.failure ?? problems[0] ?? null;
  return {...cleared, failure, problems: [...cleared.problems, ...problems.map(({message}) => message)]};
}

/** What an interruption comes to that is too late for the workers and too early for the queue. */
const BEGUN_AGAIN =
  'The interruption came while the workers stopped: what a stopped one was executing is back in the queue, and begins again.';

async function clearBoth(options: ClearSiteOptions): Promise<SiteCleared> {
  const {database, plan, queue, signal} = options;
  const {problem, ...counts} =
    queue === null
      ? QUEUE_LEFT_ALONE
      : await clearQueue({...queue, database, filter: plan.filter, lastId: plan.lastId, signal});
  const {downloadsKept, ...cleared} = await clearJobs(options);
  const problems = downloadsKept.map((path) => `The download ${path} was left alone.`);
  if (problem !== null) problems.push(`Gearman was left alone, at least in part: ${problem}`);
  if (cleared.failure !== null) {
    problems.push(
      `${cleared.failure.message} ${cleared.cleared} jobs had been cleared by then; run it again to clear the rest.`,
    );
  }
  return {...cleared, ...counts, problems};
}

const QUEUE_LEFT_ALONE: QueueCleared = {queueRemoved: 0, queueExecuting: 0, problem: null};
