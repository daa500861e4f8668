/** How the state of a job goes on as it is taken out of Gearman. Nothing is asked or changed here. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {serverOfQueue} from '../../queue/snapshot.ts';
import {type LiveReport, placesOf} from '../live/live-state.ts';
import type {UnreadQueue} from '../live/queue-payloads.ts';
import type {LiveVerdict} from '../live/verdict.ts';
import {dequeued, type InQueue, type KillPlan, stateNow, type Target} from './target.ts';

/** Its end is about to be asked for: until the answer has come, it may be out or not. */
export function markAsked(target: Target, queue: string): void {
  if (target.inQueues.get(queue) !== 'cancelled') target.inQueues.set(queue, 'unknown');
  // What waited on one server may execute on another.
  if (target.now !== 'executing') target.now = 'uncertain';
}

/** What a queue has answered. */
export function noteAnswer(
  {report}: Pick<KillPlan, 'report'>,
  target: Target,
  queue: string,
  done: InQueue,
): void {
  target.inQueues.set(queue, done);
  // Every server was asked for its key.
  if (placesOf(report, target.job.id).length > 0) noteUnchecked(target, silentServers(report));
  if (dequeued(target, report) !== 'removed') return;
  if (target.was !== 'executing') target.was = target.job.status === 'running' ? 'queued' : 'ended';
}

/**
 * Where a job may wait whose payload was looked for, since it has no key.
 * @param before what was not read a moment before, too; null if this was the first time
 */
export function noteUnread(
  {report}: Pick<KillPlan, 'report'>,
  target: Target,
  unread: readonly UnreadQueue[],
  before: readonly UnreadQueue[] | null = null,
): void {
  if (placesOf(report, target.job.id).length > 0) return;
  const mayHave = ({jobClass}: UnreadQueue) =>
    jobClass === null || mayBeFunctionOf(target.job.name, jobClass);
  const still = unread.filter(({server}) => before?.some((earlier) => earlier.server === server) !== false);
  noteUnchecked(
    target,
    still.filter(mayHave).map(({server, reason}) => ({server, reason: reason.message})),
  );
}

/** The servers that did not answer. */
export function silentServers({evidence}: LiveReport): {server: string; reason: string}[] {
  return evidence.servers.flatMap(({address, error}) =>
    error === null ? [] : [{server: address, reason: error}],
  );
}

/** A server that it was taken out of was asked. */
function noteUnchecked(target: Target, servers: readonly {server: string; reason: string}[]): void {
  const own = new Set([...target.inQueues.keys()].map(serverOfQueue));
  target.unchecked = new Map(
    servers.flatMap(({server, reason}) => (own.has(server) ? [] : [[server, reason] as const])),
  );
}

/** It is out of Gearman, and a worker may go on with it. */
export function noteGoingOn(target: Target): void {
  for (const [queue, done] of target.inQueues)
    if (done === 'removed') target.inQueues.set(queue, 'cancelled');
  target.now = 'executing';
}

/**
 * The state in a new report, of a job of which it is not known what became of it in Gearman.
 * @param finished of the jobs that executed although their rows had ended: those whose logs show that they finished
 */
export function updateState(
  target: Target,
  {report}: Pick<KillPlan, 'report'>,
  finished: ReadonlySet<number> = new Set(),
): void {
  const done = dequeued(target, report);
  if (done !== null && done !== 'unknown') return;
  target.now = stateNow(target.job, report);
  // It waits, so the request was lost, not the answer.
  if (target.now === 'queued')
    for (const [queue, inQueue] of target.inQueues) if (inQueue === 'unknown') target.inQueues.delete(queue);
  target.verdict = report.verdicts.get(target.job.id) ?? null;
  const {id, status} = target.job;
  if (target.was === 'executing' && target.now === 'ended' && status !== 'running' && !finished.has(id)) {
    target.now = 'uncertain';
    target.verdict = FORGOTTEN;
  }
  if (target.was !== 'executing') target.was = target.now;
}

/**
 * The plan after some of the jobs whose workers were about to stop turned out not to execute any more.
 * @param seen.over these jobs
 * @param seen.still those that execute
 * @param seen.finished see updateState
 */
export function updatePlan(
  plan: Pick<KillPlan, 'targets' | 'report'>,
  report: LiveReport,
  {
    over,
    still,
    finished,
  }: {over: readonly number[]; still: ReadonlySet<number>; finished: ReadonlySet<number>},
): void {
  // A row that was deleted meanwhile no longer shows the key of a job that goes on.
  const known = [...still].flatMap((id) => {
    const places = placesOf(plan.report, id);
    return places.length === 0 ? [] : [[id, places] as const];
  });
  plan.report = {...report, found: new Map([...known, ...report.found])};
  for (const target of plan.targets.values()) {
    updateState(target, plan, finished);
    if (!over.includes(target.job.id)) continue;
    // It executed a moment before: that it does no more has to be proved before its row is changed.
    if (stateNow(target.job, report) === 'executing') noteGoingOn(target);
    if (target.now === 'executing') target.now = 'uncertain';
  }
}

/** gearmand forgets what executes if it is restarted, and the worker notices nothing. */
const FORGOTTEN: LiveVerdict = {
  state: 'uncertain',
  likely: 'executing',
  reason:
    'Gearman executed it a moment ago and no longer knows it, and its log does not say that it finished: its worker may continue.',
  needsTime: false,
};
