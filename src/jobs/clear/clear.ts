import {counted} from '../../counted.ts';
import {AtomctlError, EXIT} from '../../errors.ts';
import {cancelByKey} from '../../queue/cancel-job.ts';
import {newestExecutingEnded} from '../live/ended-jobs.ts';
import {
  executingJobs,
  type LiveAccess,
  type LiveReport,
  liveStates,
  placesOf,
  stateIn,
} from '../live/live-state.ts';
import {putFirst, type QueueOptions} from '../live/queue-payloads.ts';
import {anotherBegan, mayHaveBegun, stillExecuting} from '../live/still-executing.ts';
import {jobCondition} from '../model/filter.ts';
import {STATUSES} from '../model/job.ts';
import {runningRows} from '../model/running-jobs.ts';
import {
  failureOf,
  goOnAllTheTime,
  type Interruptible,
  MOST_PLANS,
  type PlannedStop,
  planStop,
  reasonAgainstInterruption,
  type WorkerControl,
  type WorkerStop,
  whileStopped,
} from '../model/worker-control.ts';
import {type ClearOptions, type ClearResult, clearJobs, rehearseDeletion} from './clear-rows.ts';
import {executingEnded, mayWaitEnded} from './ended-rows.ts';
import {againWith, keptSentences, type SaveHistory, saveHistory} from './history.ts';
import {hasId} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';
import {countQueue} from './queue-count.ts';
import {QueueWindow} from './queue-window.ts';

export interface ClearSiteOptions extends ClearOptions {
  /** How to reach the site's queue; null leaves Gearman alone. */
  queue: (QueueOptions & Omit<LiveAccess, 'database'>) | null;
  /** Takes out the site's waiting jobs that have no row, too. */
  allQueued: boolean;
  /** Ends executing jobs too, by stopping their workers first; null leaves these alone. */
  worker: WorkerControl | null;
  mayInterrupt: Interruptible;
  /** Absent: the history is not saved, or it is already. */
  history?: SaveHistory;
}

export interface SiteCleared extends Omit<ClearResult, 'downloadsKept' | 'changedSince' | 'begunSince'> {
  /** Jobs that were taken out of Gearman. */
  queueRemoved: number;
  /** Cleared jobs that a worker is executing. */
  queueExecuting: number;
  /** Jobs that Gearman still has under the site's functions. */
  queueLeft: number;
  /** A cleared row may still have its job in Gearman. */
  queueIncomplete: boolean;
  /** Workers were asked to stop. */
  workersAsked: boolean;
  /** Gearman was asked to cancel executing jobs, whatever came of it. */
  cancelAsked: boolean;
  /** The units of these workers, if they have any. */
  units: readonly string[];
  /** Other jobs whose workers were stopped: they start again from the beginning. */
  interruptedJobs: number[];
  /** What did not go as it should, in sentences. */
  problems: string[];
}

/**
 * Clears a site in batches: the Gearman jobs of a batch leave the queue right before its rows go. Workers that may be restarted
 * are stopped before and started after, whatever happens between. A failure on the way is reported with what was done by then; a
 * second run clears the rest.
 * @throws AtomctlError if nothing was changed
 */
export async function clearSite(options: ClearSiteOptions): Promise<SiteCleared> {
  const {queue, database} = options;
  const counts = queue === null ? null : await countQueue(queue);
  // If nothing executes and no other prefix is in sight, no state matters, unless workers are to stop.
  const isOpen =
    counts !== null && (counts.executing + counts.underUnknownPrefix > 0 || options.worker !== null);
  const report = isOpen ? await liveStates({...queue!, database}) : null;
  const ids = report === null ? [] : await runningIds(options);
  const ended =
    report === null ? new Set<number>() : await executingEnded({database, queue: queue!, plan: options.plan});
  const prepared = report === null ? null : await prepareStop(options, report, {ids, ended});
  const seen = {
    missing: report?.missing ?? counts?.missing ?? [],
    elsewhere: report === null ? 0 : countElsewhere(report, ids),
    cancelAsked: (prepared?.touched.size ?? 0) > 0,
  };
  if (prepared === null || prepared.workers === null) {
    const executing = (prepared?.executing.size ?? 0) + ended.size;
    return clearAll(prepared?.agreed ?? options, {...seen, executing, workersAsked: false});
  }
  const {workers, executing, cancelled, agreed} = prepared;
  let order: AtomctlError[] = [];
  const {result: cleared, problems} = await whileStopped(workers, async () => {
    const stopped = {...seen, executing: ended.size, workersAsked: true};
    const done = options.signal.aborted
      ? await clearCancelled(agreed, stopped, {cancelled, executing})
      : await clearStopped(agreed, stopped, {ids: toClear(ids, agreed), cancelled});
    order = await putFirst(queue!, workers.interrupts);
    return done;
  });
  return {
    ...cleared,
    units: workers.units ?? [],
    interruptedJobs: workers.interrupts.map(({id}) => id),
    failure: cleared.failure ?? [...problems, ...order][0] ?? null,
    problems: [...cleared.problems, ...[...problems, ...order].map(({message}) => message)],
  };
}

/** Jobs to clear. */
interface Clearing {
  /** Their rows say Running. */
  ids: readonly number[];
  /** They execute although their rows have ended. */
  ended: ReadonlySet<number>;
}

interface PreparedStop {
  /** null if none has to stop, or none may. */
  workers: WorkerStop | null;
  /** The jobs to clear that execute. */
  executing: ReadonlySet<number>;
  /** Those of them that Gearman drops as their workers end. */
  cancelled: ReadonlySet<number>;
  /** Those that Gearman was asked to cancel, also if they have ended by themselves. */
  touched: ReadonlySet<number>;
  /** The options for the rest of the clear: the history may be saved by now. */
  agreed: ClearSiteOptions;
}

/**
 * Cancels what executes, and finds its workers anew as long as one of the jobs ends meanwhile: a worker that has ended its job may
 * have begun one that stays.
 * @throws AtomctlError if workers may not stop; then no row was changed
 */
async function prepareStop(
  options: ClearSiteOptions,
  report: LiveReport,
  clearing: Clearing,
): Promise<PreparedStop> {
  const [cancelled, touched] = [new Set<number>(), new Set<number>()];
  try {
    return await cancelAndAgree(options, {...clearing, report, cancelled, touched});
  } catch (error) {
    if (!(error instanceof AtomctlError) || touched.size === 0) throw error;
    const {code, message, hint} = error;
    const jobs = touched.size === 1 ? 'an executing job' : `${touched.size} executing jobs`;
    const done = `Gearman will not hand out ${jobs} again; the workers continue, and no row was changed.`;
    // 5 promises that nothing was touched.
    const stated = error.exitStatus === EXIT.refused ? 'FAILED' : code;
    throw new AtomctlError(stated, `${message} ${done}`, {hint, cause: error});
  }
}

async function cancelAndAgree(
  options: ClearSiteOptions,
  {
    report: first,
    ids: named,
    ended,
    cancelled,
    touched,
  }: Clearing & {report: LiveReport; cancelled: Set<number>; touched: Set<number>},
): Promise<PreparedStop> {
  const {database, queue, mayInterrupt} = options;
  let [report, agreed] = [first, options];
  for (let times = 0; times < MOST_PLANS; times += 1) {
    const ids = toClear(named, agreed);
    const executing = new Set(ids.filter((id) => stateIn(report, id) === 'executing'));
    const workers = await workersToStop(options, report, {executing, ended});
    if (workers === null) return {workers, executing, cancelled, touched, agreed};
    const against = reasonAgainstInterruption(workers, mayInterrupt);
    if (against !== null) throw against;
    await rehearseDeletion(database, [...executing]);
    if (agreed.history !== undefined) {
      agreed = await saveHistory(agreed);
      // Interrupted: nothing was changed.
      if (agreed.history !== undefined) return {workers: null, executing, cancelled, touched, agreed};
      // That may take a while, in which jobs end and begin.
      report = await liveStates({...queue!, database});
      continue;
    }
    await cancelExecuting(report, executing, {cancelled, touched});
    const now = await liveStates({...queue!, database});
    const still = await stillExecuting(report, executing, now);
    for (const id of executing) if (!still.has(id)) cancelled.delete(id);
    const hasOther =
      mayHaveBegun(now, workers, executing) &&
      anotherBegan(now, workers, {
        named: new Set([...ids, ...ended]),
        endedNow: await newestExecutingEnded({...queue!, database}),
      });
    if (!hasOther && still.size === executing.size) return {workers, executing, cancelled, touched, agreed};
    report = now;
  }
  throw goOnAllTheTime();
}

/** Those of the jobs that the plan still has. */
function toClear(ids: readonly number[], {plan}: ClearSiteOptions): number[] {
  return ids.filter((id) => hasId(plan.ids, id));
}

/** How a clear ends: interrupted, failed on the way, with Gearman jobs that had to stay, or well. */
export function clearExitStatus({
  interrupted,
  failure,
  cleared,
  queueRemoved,
  workersAsked,
  cancelAsked,
  queueIncomplete,
  queueExecuting,
}: SiteCleared): number {
  if (interrupted) return EXIT.interrupted;
  if (failure === null) return queueIncomplete || queueExecuting > 0 ? EXIT.failed : EXIT.ok;
  // 5 promises that nothing was touched.
  const isTouched = cleared + queueRemoved > 0 || workersAsked || cancelAsked;
  return isTouched && failure.exitStatus === EXIT.refused ? EXIT.failed : failure.exitStatus;
}

/**
 * Gearman drops them as their workers stop, so that no other worker begins one.
 * @param sets `cancelled` receives those whose key is known under the site's own prefix; the others go back into the queue.
 *   `touched` receives also those that ended meanwhile, or of which the answer was lost
 * @throws AtomctlError; then no worker was stopped
 */
async function cancelExecuting(
  report: LiveReport,
  ids: ReadonlySet<number>,
  {cancelled, touched}: {cancelled: Set<number>; touched: Set<number>},
): Promise<void> {
  for (const id of ids) {
    if (cancelled.has(id)) continue;
    for (const place of placesOf(report, id)) {
      const onAsked = () => void touched.add(id);
      const outcome = await cancelByKey(place.server, place, {executingToo: true, onAsked});
      if (outcome !== 'absent') cancelled.add(id);
    }
  }
}

async function clearStopped(
  options: ClearSiteOptions,
  seen: Seen,
  {ids, cancelled}: {ids: readonly number[]; cancelled: ReadonlySet<number>},
): Promise<SiteCleared> {
  const {queue, database} = options;
  // A worker that could not be stopped from here may have begun one again.
  const now = await liveStates({...queue!, database}).catch(() => null);
  const still = new Set(now === null ? [] : ids.filter((id) => stateIn(now, id) === 'executing'));
  const done = await clearAll(options, {...seen, executing: seen.executing + still.size});
  const dropped = [...cancelled].filter((id) => !still.has(id));
  return {...done, queueRemoved: done.queueRemoved + dropped.length};
}

/** Interrupted, only the rows go whose jobs are gone from Gearman already. */
async function clearCancelled(
  options: ClearSiteOptions,
  seen: Seen,
  {cancelled, executing}: {cancelled: ReadonlySet<number>; executing: ReadonlySet<number>},
): Promise<SiteCleared> {
  const isAllCancelled = [...executing].every((id) => cancelled.has(id));
  const begunAgain = isAllCancelled ? [] : [BEGUN_AGAIN];
  const plan = {...options.plan, ids: options.plan.ids.filter((id) => cancelled.has(id))};
  const done =
    cancelled.size === 0
      ? await clearAll(options, seen)
      : await clearAll({...options, plan, allQueued: false, signal: new AbortController().signal}, seen);
  return {
    ...done,
    interrupted: true,
    queueRemoved: done.queueRemoved + cancelled.size,
    problems: [...done.problems, ...begunAgain],
  };
}

/** What an interruption comes to that is too late for the workers and too early for the queue. */
const BEGUN_AGAIN =
  'The interruption came while the workers were being stopped: a job of a stopped worker is in the queue again and will start from the beginning.';

/** The jobs to clear that say Running. */
export async function runningIds({
  database,
  plan,
}: Pick<ClearSiteOptions, 'database' | 'plan'>): Promise<number[]> {
  const rows = await runningRows({database, filter: plan.filter});
  // One that has begun after the question stays.
  return rows.flatMap(({id, logLength}) =>
    hasId(plan.ids, id) && !(hasId(plan.unbegun, id) && logLength > 0) ? id : [],
  );
}

/**
 * How many of the jobs Gearman may have under a function prefix that is not known to be this site's: those whose key shows it, and
 * every uncertain one if the site's own prefix shows neither a job nor a worker, so that it may be wrong.
 */
export function countElsewhere({evidence, found, verdicts}: LiveReport, ids: readonly number[]): number {
  const ownedBy = (owner: 'site' | 'unknown') =>
    new Set(evidence.queues.filter((queue) => queue.owner === owner).map(({queue}) => queue));
  const [own, unknown] = [ownedBy('site'), ownedBy('unknown')];
  const isAlive =
    evidence.queues.some(({owner, total}) => owner === 'site' && total > 0) ||
    evidence.workers.some(({queues}) => queues.some((queue) => own.has(queue)));
  const rows = new Map(evidence.rows.map((row) => [row.id, row]));
  return ids.filter((id) => {
    const places = found.get(id);
    if (places !== undefined) return places.some(({queue}) => unknown.has(queue));
    if (isAlive || verdicts.get(id)?.state !== 'uncertain') return false;
    return rows.get(id)?.queues.some((queue) => unknown.has(queue)) === true;
  }).length;
}

/** @returns null if none has to stop, or none may */
export async function workersToStop(
  {worker, database, queue}: Pick<ClearSiteOptions, 'worker' | 'database' | 'queue'>,
  report: LiveReport,
  {executing, ended}: {executing: ReadonlySet<number>; ended: ReadonlySet<number>},
): Promise<PlannedStop | null> {
  if (worker === null || executing.size === 0) return null;
  const goBack = [...executing].some((id) => placesOf(report, id).length === 0);
  const others = await newestExecutingEnded({...queue!, database});
  const all = [...executingJobs(report), ...others.filter(({id}) => !ended.has(id))];
  return planStop(worker, executing, {executing: all, goBack});
}

/** The names of the jobs to clear that say Running: only functions that may hold them are touched. */
async function runningNames({database, plan}: ClearSiteOptions): Promise<string[]> {
  const {join, sql, values} = jobCondition(plan.filter);
  const names = new Set<string>();
  await database.visit(
    `SELECT job.id, job.name FROM job ${join} WHERE ${sql} AND job.status_id = ?`,
    [...values, STATUSES.running.termId],
    ([id, name]) => {
      if (hasId(plan.ids, id as number)) names.add((name as string | null) ?? '');
    },
  );
  return [...names];
}

/** What was seen before the clear. */
interface Seen {
  /** One error for each server that did not answer. */
  missing: readonly AtomctlError[];
  /** How many of the jobs to clear may be in Gearman under another prefix. */
  elsewhere: number;
  /** How many of them execute. */
  executing: number;
  cancelAsked: boolean;
  workersAsked: boolean;
}

async function clearAll(given: ClearSiteOptions, seen: Seen): Promise<SiteCleared> {
  const options = await saveHistory(given);
  const {database, queue, plan, allQueued, signal} = options;
  const window =
    queue === null
      ? null
      : new QueueWindow(queue, await runningNames(options), await mayWaitEnded({database, plan, queue}));
  let cleared: ClearResult;
  try {
    cleared = await clearJobs(options, window, seen.workersAsked || seen.cancelAsked);
    if (allQueued && window !== null && cleared.failure === null) {
      if (signal.aborted) cleared.interrupted = true;
      else cleared.failure = await failureOf(window.takeJobsWithoutRows(database));
    }
  } finally {
    await window?.close();
  }
  const {downloadsKept, changedSince, begunSince, ...result} = cleared;
  const counts = queue === null ? null : await countQueue(queue);
  return {
    ...result,
    queueRemoved: window?.removed ?? 0,
    queueExecuting: seen.executing,
    queueLeft: counts === null ? 0 : counts.waiting + counts.executing,
    queueIncomplete: window?.incomplete === true || seen.elsewhere > 0,
    workersAsked: seen.workersAsked,
    cancelAsked: seen.cancelAsked,
    units: [],
    interruptedJobs: [],
    problems: [
      ...downloadsKept.map((path) => `The download file ${path} was not deleted.`),
      ...keptSentences({changedSince, begunSince}, plan),
      ...queueProblems(seen, window),
      ...stoppedSentence(result, {plan, removed: window?.removed ?? 0}),
    ],
  };
}

function queueProblems({missing, elsewhere}: Seen, window: QueueWindow | null): string[] {
  const sentences = new Set([...missing.map(({message}) => message), ...(window?.problems ?? [])]);
  const left =
    sentences.size === 0 ? [] : [`Some or all Gearman jobs were not removed: ${[...sentences].join(' ')}`];
  if (elsewhere === 0) return left;
  const jobs = counted(elsewhere, 'job');
  return [
    ...left,
    `Gearman may still have ${jobs} of these under another function prefix, which may belong to another site (see atomctl config).`,
  ];
}

/** What to do after a clear that stopped early. */
function stoppedSentence(
  {
    failure,
    interrupted,
    cleared,
    byStatus,
  }: Pick<ClearResult, 'failure' | 'interrupted' | 'cleared' | 'byStatus'>,
  {plan, removed}: {plan: ClearPlan; removed: number},
): string[] {
  if (failure !== null) {
    const out = Math.max(0, removed - byStatus.running);
    const more =
      out === 0
        ? ''
        : ` ${counted(out, 'job')} more ${out === 1 ? 'is' : 'are'} out of Gearman and will not run;`;
    // What prevents the deletion of one row prevents it at the next run, too.
    const first =
      failure.code === 'REFUSED' || failure.code === 'DATABASE_ERROR' ? 'correct this first, then ' : '';
    const perhaps = failure.code === 'COMMIT_UNKNOWN' ? ', and perhaps the next ones too' : '';
    return [
      `${failure.message} ${counted(cleared, 'job')} ${cleared === 1 ? 'was' : 'were'} cleared before this${perhaps};${more} ${first}${againWith(plan)} to clear the rest.`,
    ];
  }
  const isOnlyRecord = interrupted && cleared > 0 && plan.exported?.needsOtherName === true;
  return isOnlyRecord
    ? [`The file of --export is the only record of these jobs. To clear the rest, ${againWith(plan)}.`]
    : [];
}
