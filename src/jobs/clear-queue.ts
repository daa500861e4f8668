import {AtomctlError} from '../errors.ts';
import {drainQueue} from '../queue/drain.ts';
import {MOST_HELD} from '../queue/peek.ts';
import {functionsOfSite, takeSnapshot} from '../queue/snapshot.ts';
import type {JobFilter} from './filter.ts';
import {type LiveOptions, liveStates} from './live-state.ts';
import {type QueueOptions, siftQueue} from './queued-jobs.ts';
import {runningRows} from './running-rows.ts';

export interface ClearQueueOptions extends QueueOptions, Omit<LiveOptions, 'probe'> {
  filter: JobFilter;
  /** Jobs that came after the question have higher ids and stay. */
  lastId: number;
  /** Every job of the site goes, also those without a row. */
  everything: boolean;
  signal: AbortSignal;
}

export interface QueueCleared {
  queueRemoved: number;
  /** Jobs among those to be cleared that a worker is executing. */
  queueExecuting: number;
  /** Why Gearman, or a part of it, was left alone; null where it was not. */
  problem: string | null;
}

/**
 * Takes the queued jobs that are about to be cleared out of Gearman, and only this site's: another site's functions
 * on the same server keep theirs. A server that does not answer, or where taking some jobs would lose others, is left
 * alone and told: the rows may go all the same, since a job without a row fails as soon as a worker begins it.
 */
export async function clearQueue(options: ClearQueueOptions): Promise<QueueCleared> {
  const report = await liveStates(options);
  const rows = await runningRows({database: options.database, filter: options.filter});
  const ids = new Set(rows.map(({id}) => id).filter((id) => id <= options.lastId));
  const executing = [...ids].filter((id) => report.states.get(id) === 'executing').length;
  const problems = report.missing.map(({message}) => message);
  let removed = 0;
  try {
    removed = await (options.everything ? removeAll(options) : removeThese(options, ids));
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code === 'INTERRUPTED') throw error;
    problems.push(error.message);
  }
  return {queueRemoved: removed, queueExecuting: executing, problem: problems.join(' ') || null};
}

async function removeThese(options: ClearQueueOptions, ids: ReadonlySet<number>): Promise<number> {
  if (ids.size === 0) return 0;
  return (await siftQueue({...options, take: ({jobId}) => jobId !== null && ids.has(jobId)})).removed.length;
}

/** All that waits, but for jobs that came after the question. A long queue is drained, a short one keeps its order. */
async function removeAll(options: ClearQueueOptions): Promise<number> {
  const {own, functions} = functionsOfSite(await takeSnapshot(options.servers), options.prefix);
  const waiting = functions.filter(({total, running}) => own && total > running);
  if (waiting.reduce((sum, {total, running}) => sum + total - running, 0) <= MOST_HELD) {
    return (await siftQueue({...options, take: ({jobId}) => (jobId ?? 0) <= options.lastId})).removed.length;
  }
  let removed = 0;
  for (const server of new Set(waiting.map((seen) => seen.server))) {
    const names = waiting.filter((seen) => seen.server === server).map((seen) => seen.function);
    removed += await drainQueue(server.address, names, options);
  }
  return removed;
}
