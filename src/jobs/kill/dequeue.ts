import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import {despiteLoss, worthAnotherAttempt} from '../../gearman/failure.ts';
import type {GearmanServer, GearmanTimeouts} from '../../gearman/server.ts';
import {survivesReturns} from '../../gearman/test-job.ts';
import {cancelByKey} from '../../queue/cancel-job.ts';
import {underProbeLock} from '../../queue/probe/probe-lock.ts';
import type {CollectOptions} from '../live/collect-evidence.ts';
import {newestExecutingEnded} from '../live/ended-jobs.ts';
import {type LiveReport, liveStates, liveStatesToAct, placesOf, stateIn} from '../live/live-state.ts';
import {isJobOfRow, takeFromSite, type UnreadQueue} from '../live/queue-payloads.ts';
import {anotherBegan, mayHaveBegun, stillExecuting} from '../live/still-executing.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import {finishedEnded} from '../model/running-jobs.ts';
import type {PlannedStop} from '../model/worker-control.ts';
import {withEndedJobs} from './plan.ts';
import {markAsked, noteAnswer, noteGoingOn, noteUnread, updatePlan, updateState} from './progress.ts';
import {writeRows} from './rows.ts';
import {
  dequeued,
  isOutEverywhere,
  isTouched,
  type KillOptions,
  type KillPlan,
  type Target,
} from './target.ts';

/** Rows that change slowly hold a server no longer than this, except for the transaction in hand: others wait to read. */
const LONGEST_HOLD_MS = 2000;

/** States of jobs that no queue holds as waiting. */
const NOT_WAITING = new Set<unknown>(['executing', 'finished', 'lost']);

/**
 * Takes the jobs that wait out of Gearman: by their key if it is known, which touches no other job, otherwise by a probe of
 * the payloads. Failures are added to the plan, not thrown: by now jobs may be gone from the queue.
 */
export async function dequeueWaiting(options: KillOptions, plan: KillPlan): Promise<void> {
  await dequeueByKey(options, plan, ({now}) => now === 'queued');
  await dequeueByPayload(options, plan, ({now}) => !NOT_WAITING.has(now));
}

/**
 * Cancels executing jobs whose keys are known, right before their workers stop: Gearman then drops them as their workers end, and
 * no other worker that is free is handed one.
 * @returns why a job could not be cancelled; null if all were
 */
export async function cancelExecuting(
  plan: KillPlan,
  executing: ReadonlySet<number>,
): Promise<AtomctlError | null> {
  try {
    for (const id of executing) {
      const target = plan.targets.get(id)!;
      for (const place of placesOf(plan.report, id)) {
        if (target.inQueues.get(place.queue)) continue;
        const onAsked = () => noteAnswer(plan, target, place.queue, 'unknown');
        const outcome = await cancelByKey(place.server, place, {executingToo: true, onAsked});
        // Absent, it ended by itself, or its worker died right after the cancel. Also one that only waited there executes all the same.
        if (outcome === 'removed' || outcome === 'cancelled')
          noteAnswer(plan, target, place.queue, 'cancelled');
      }
    }
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}

/**
 * Whether all of these still execute, and no worker that is about to stop has begun another job. If not, the plan is brought up to
 * date: nobody named that job.
 * @throws AtomctlError as GearmanServer's requests do, or for the database
 */
export async function isAsPlanned(
  options: KillOptions,
  plan: KillPlan,
  {workers, executing}: {workers: PlannedStop; executing: ReadonlySet<number>},
): Promise<boolean> {
  const jobs = [...plan.targets.values()].map(({job}) => job);
  const report = await withEndedJobs(await liveStates(options), jobs, options);
  const still = await stillExecuting(plan.report, executing, report);
  const hasOther =
    mayHaveBegun(report, workers, executing) &&
    anotherBegan(report, workers, {named: executing, endedNow: await newestExecutingEnded(options)});
  if (!hasOther && still.size === executing.size) return true;
  const over = [...executing].filter((id) => !still.has(id));
  // A row that has ended since was ended by its worker; of the others, their logs show it.
  const endedBefore = over.filter((id) => plan.targets.get(id)!.job.status !== 'running');
  updatePlan(plan, report, {over, still, finished: await finishedEnded(options.database, endedBefore)});
  return false;
}

/**
 * Takes out the jobs that stopped workers gave back. If interrupted, only those: they would run again from the start. One that goes
 * on all the same has not ended.
 */
export async function dequeueStopped(
  options: KillOptions,
  plan: KillPlan,
  executing: ReadonlySet<number>,
): Promise<void> {
  const {aborted} = options.signal;
  const uninterrupted = {...options, signal: new AbortController().signal};
  await dequeueByKey(uninterrupted, plan, ({job}) => executing.has(job.id), keepRows);
  await dequeueByPayload(
    uninterrupted,
    plan,
    ({job, now}) => (aborted ? executing.has(job.id) : !NOT_WAITING.has(now) || executing.has(job.id)),
    keepRows,
  );
  await reportingFailure(plan, () => lookForProcesses(options, plan, executing));
}

/** An import whose worker died before goes on in a process of no unit, whatever Gearman says of its job. */
async function lookForProcesses(
  options: KillOptions,
  plan: KillPlan,
  executing: ReadonlySet<number>,
): Promise<void> {
  const isOut = (id: number) => dequeued(plan.targets.get(id)!, plan.report) === 'removed';
  if (![...executing].some(isOut)) return;
  const report = await liveStates(options);
  for (const id of executing)
    if (isOut(id) && stateIn(report, id) === 'executing') noteGoingOn(plan.targets.get(id)!);
}

type Chosen = (target: Target) => boolean;

function chosenTargets({targets, report}: KillPlan, chosen: Chosen): Target[] {
  return [...targets.values()].filter(
    (target) => target.refused === null && dequeued(target, report) !== 'removed' && chosen(target),
  );
}

async function dequeueByKey(
  options: KillOptions,
  plan: KillPlan,
  chosen: Chosen,
  write = writeInTime,
): Promise<void> {
  const found = chosenTargets(plan, chosen).flatMap((target) =>
    placesOf(plan.report, target.job.id).map((place) => ({target, place})),
  );
  for (const server of new Set(found.map(({place}) => place.server))) {
    const onServer = found.filter(({place}) => place.server === server);
    // What left another server is not left half done, whatever signal comes.
    const isBegun = ({target}: {target: Target}) => isTouched(target);
    const uninterrupted = onServer.some(isBegun) ? {...options, signal: undefined} : options;
    const cancelAll = () =>
      underProbeLock(server.address, uninterrupted, async () => {
        for (const each of onServer) {
          if (options.signal.aborted && !isBegun(each)) continue;
          if (each.target.inQueues.get(each.place.queue) !== 'removed') await cancelTarget(plan, each);
        }
        // A job that waits on several servers is out as it leaves the last.
        const out = onServer.filter(({target}) => isOutEverywhere(target, plan.report, options));
        await write(
          options,
          out.map(({target}) => target),
        );
      });
    await reportingFailure(plan, () => despiteLoss(cancelAll));
  }
}

async function cancelTarget(
  plan: KillPlan,
  {target, place}: {target: Target; place: FoundJob},
): Promise<void> {
  const {queue} = place;
  const outcome = await cancelByKey(place.server, place, {
    executingToo: false,
    onAsked: () => markAsked(target, queue),
  });
  // A cancelled job whose worker was stopped is dropped by gearmand, and then unknown.
  if (outcome === 'absent')
    noteAnswer(plan, target, queue, target.inQueues.get(queue) === 'cancelled' ? 'removed' : 'absent');
  else if (outcome !== 'executing') noteAnswer(plan, target, queue, outcome);
  if (outcome === 'executing' || outcome === 'cancelled') target.now = 'executing';
}

/** Ends those of the jobs that wait, and changes their rows before any atomctl may call them lost. */
async function dequeueByPayload(
  options: KillOptions,
  plan: KillPlan,
  chosen: Chosen,
  write = writeInTime,
): Promise<void> {
  const targets = new Map(chosenTargets(plan, chosen).map((target) => [target.job.id, target]));
  if (targets.size === 0) return;
  let before: readonly UnreadQueue[] | null = null;
  const takeOut = async () => {
    const taken = await takeFromSite({
      ...options,
      names: [...new Set([...targets.values()].map(({job}) => job.name))],
      take: (job) => {
        const target = targets.get(job.jobId ?? 0);
        if (target === undefined || !isJobOfRow(job, target.job)) return false;
        markAsked(target, job.queue);
        return true;
      },
      settle: async (jobs, unread) => {
        const removed = new Set(jobs.map(({jobId}) => targets.get(jobId!)!));
        for (const {jobId, queue} of jobs) noteAnswer(plan, targets.get(jobId!)!, queue, 'removed');
        for (const target of removed) noteUnread(plan, target, unread, before);
        const out = [...removed].filter((target) => isOutEverywhere(target, plan.report, options));
        await write(options, out);
      },
    });
    for (const target of targets.values()) noteUnread(plan, target, taken.unread, before);
    before = taken.unread;
    return taken;
  };
  let {waiting, problems} = await takeOut();
  // A job whose end was not confirmed may be gone: only a second probe shows that.
  if (await worthAnotherAttempt(problems)) ({waiting, problems} = await takeOut());
  plan.problems.push(...problems);
  const open = new Set(chosenTargets(plan, chosen).map(({job}) => job.id));
  if (open.size === 0) return;
  await reportingFailure(plan, async () => {
    const targets = [...plan.targets.values()];
    plan.probed = waiting;
    const report = await statesAfterProbe({...options, probe: async () => waiting}, open);
    plan.report = await withEndedJobs(
      report,
      targets.map(({job}) => job),
      options,
    );
    for (const target of targets) updateState(target, plan);
  });
}

/** A job whose payload waits nowhere may lack only time now: while other jobs might have been it, more was missing. */
async function statesAfterProbe(
  options: KillOptions & Pick<CollectOptions, 'probe'>,
  ids: ReadonlySet<number>,
): Promise<LiveReport> {
  const wait = (milliseconds: number) => options.wait(milliseconds, options.signal);
  const report = await liveStatesToAct(options, {wait, firstSeen: options.firstSeen}, ids);
  // The wait was cut short, and proves nothing.
  return options.signal.aborted ? liveStates(options) : report;
}

/** For what has to be looked at before its row is changed. */
async function keepRows(): Promise<void> {}

/**
 * The rows that are not changed yet and for which there is time while others wait to read the server; complete.ts changes the
 * rest.
 */
function writeInTime(options: KillOptions, targets: readonly Target[]): Promise<void> {
  const end = performance.now() + LONGEST_HOLD_MS;
  const open = targets.filter(({row}) => row === null);
  return writeRows(options, open, () => performance.now() < end);
}

async function reportingFailure({problems}: KillPlan, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    problems.push(error);
  }
}

/** A job goes back to the queue once as its worker stops, and must survive one more return as it is probed. */
const RETURNS = 2;

/**
 * Why the workers may not be stopped to end a job; null if they may. Stopping them returns every job that they
 * execute to the queue: if a server limits retries, one could be dropped, or start again because the queue can no
 * longer be probed.
 */
export async function reasonAgainstRestart(
  servers: readonly GearmanServer[],
  options: GearmanTimeouts,
): Promise<AtomctlError | null> {
  try {
    for (const server of servers) {
      const jobs = (await server.jobs()).filter(({ignored}) => !ignored);
      const most = jobs.reduce((highest, {retries}) => Math.max(highest, retries), 0);
      if (!(await survivesReturns(server, most + RETURNS, options))) return limited(server);
    }
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}

function limited({address}: GearmanServer): AtomctlError {
  return new AtomctlError(
    'REFUSED',
    `Gearman server ${formatAddress(address)} limits retries: if the worker restarts, a job could be dropped or start again, so the worker was not stopped.`,
    {hint: 'Increase --job-retries of gearmand, or cancel the job and change its row with --force.'},
  );
}
