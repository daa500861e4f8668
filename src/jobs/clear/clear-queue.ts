import {AtomctlError} from '../../errors.ts';
import type {Queryable} from '../../mysql/database.ts';
import {drainFunction} from '../../queue/drain.ts';
import {MOST_HELD} from '../../queue/probe.ts';
import {functionsOfSite, takeSnapshot} from '../../queue/snapshot.ts';
import type {SeenPayload} from '../live/evidence.ts';
import {type LiveAccess, liveStates, stateIn} from '../live/live-state.ts';
import {NO_LIFE, probeSite, type QueueOptions} from '../live/queue-payloads.ts';
import type {JobFilter} from '../model/filter.ts';
import {runningRows} from '../model/running-jobs.ts';

export interface ClearQueueOptions extends QueueOptions, LiveAccess {
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
  /** Why Gearman, or a part of it, was left alone; null if it was not. */
  problem: string | null;
}

/**
 * Takes the queued jobs that are about to be cleared out of Gearman, and only this site's: another site's functions
 * on the same server keep theirs. A server that does not answer, or from which no job can be taken without losing others, is left
 * alone and reported: the rows may still go, since a job without a row fails as soon as a worker begins it.
 * Interrupted, it ends early and says what is gone.
 */
export async function clearQueue(options: ClearQueueOptions): Promise<QueueCleared> {
  const report = await liveStates(options);
  const isAlive = await isSiteAlive(options);
  const rows = await runningRows({database: options.database, filter: options.filter});
  const ids = new Set(rows.map(({id}) => id).filter((id) => id <= options.lastId));
  const executing = [...ids].filter((id) => stateIn(report, id) === 'executing').length;
  const {count, problems} = options.everything ? await removeAll(options) : await removeThese(options, ids);
  const sentences = [...report.missing, ...problems].map(({message}) => message);
  const blind =
    report.evidence.servers.some(({error}) => error === null) &&
    !isAlive &&
    [...ids].some((id) => stateIn(report, id) === 'uncertain');
  if (blind) sentences.push(NO_LIFE);
  return {queueRemoved: count, queueExecuting: executing, problem: sentences.join(' ') || null};
}

/** Whether any server shows a job or a worker under the site's own prefix. */
async function isSiteAlive({servers, prefix}: ClearQueueOptions): Promise<boolean> {
  return functionsOfSite(await takeSnapshot(servers), prefix).own;
}

interface Removal {
  count: number;
  problems: AtomctlError[];
}

async function removeThese(options: ClearQueueOptions, ids: ReadonlySet<number>): Promise<Removal> {
  if (ids.size === 0) return {count: 0, problems: []};
  const {removed, problems} = await probeSite({
    ...options,
    take: ({jobId}) => jobId !== null && ids.has(jobId),
  });
  return {count: removed.length, problems};
}

/** All that waits, but for jobs that came after the question: a queue too long to be held is shortened first. */
async function removeAll(options: ClearQueueOptions): Promise<Removal> {
  const drained = await drainLongQueues(options);
  if (options.signal.aborted || drained.problems.length > 0) return drained;
  const sifted = await probeSite({...options, take: ({jobId}) => (jobId ?? 0) <= options.lastId});
  const leftovers = await leftoverIds(options.database, sifted.waiting);
  const {count, problems} = await removeThese(options, leftovers);
  return {count: drained.count + sifted.removed.length + count, problems: [...sifted.problems, ...problems]};
}

/**
 * The ids of waiting jobs that have no row: left by an earlier clear that could not reach Gearman. AtoM inserts the row
 * before it submits the job, so one that came after the question has its row by the time it is seen waiting.
 */
async function leftoverIds(database: Queryable, waiting: readonly SeenPayload[]): Promise<Set<number>> {
  const ids = waiting.flatMap(({jobId}) => jobId ?? []);
  if (ids.length === 0) return new Set();
  const rows = await database.query<{id: number}>('SELECT id FROM job WHERE id IN (?)', [ids]);
  const withRow = new Set(rows.map(({id}) => id));
  return new Set(ids.filter((id) => !withRow.has(id)));
}

/** How long a queue is left for probeSite: room enough for what is submitted until then. */
const LEFT_TO_PROBE = MOST_HELD / 2;

/**
 * Ends the oldest jobs of queues that are too long to be held at once. Not more than that: a queue is shortened
 * from its front, so that what came after the question keeps its order.
 */
async function drainLongQueues(options: ClearQueueOptions): Promise<Removal> {
  const {own, functions} = functionsOfSite(await takeSnapshot(options.servers), options.prefix);
  const waiting = functions
    .map(({server, function: name, total, running}) => ({server, name, count: total - running}))
    .filter(({count}) => own && count > 0);
  const drained: Removal = {count: 0, problems: []};
  for (const server of new Set(waiting.map((queue) => queue.server))) {
    const queues = waiting.filter((queue) => queue.server === server);
    const length = queues.reduce((sum, {count}) => sum + count, 0);
    if (length <= MOST_HELD) continue;
    let excess = length - LEFT_TO_PROBE;
    try {
      for (const {name, count} of queues) {
        if (excess <= 0) break;
        const ended = await drainFunction(server.address, name, {...options, limit: Math.min(count, excess)});
        drained.count += ended;
        excess -= ended;
      }
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      drained.problems.push(error);
    }
  }
  return drained;
}
