/** How the state of a job goes on as it is taken out of Gearman. Nothing is asked or changed here. */
import {type LiveReport, placesOf} from '../live/live-state.ts';
import type {LiveVerdict} from '../live/verdict.ts';
import {stateNow} from './plan.ts';
import {dequeued, type InQueue, type KillPlan, type Target} from './target.ts';

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
  if (dequeued(target, report) !== 'removed') return;
  if (target.job.status !== 'running') target.was = 'ended';
  else if (target.was !== 'executing') target.was = 'queued';
}

/** It is out of Gearman, and a worker may go on with it. */
export function noteGoingOn(target: Target): void {
  for (const [queue, done] of target.inQueues)
    if (done === 'removed') target.inQueues.set(queue, 'cancelled');
  target.now = 'executing';
}

/** The state in a new report, of a job of which it is not known what became of it in Gearman. */
export function updateState(target: Target, {report}: Pick<KillPlan, 'report'>): void {
  const done = dequeued(target, report);
  if (done !== null && done !== 'unknown') return;
  target.now = stateNow(target.job, report);
  // It waits, so the request was lost, not the answer.
  if (target.now === 'queued')
    for (const [queue, inQueue] of target.inQueues) if (inQueue === 'unknown') target.inQueues.delete(queue);
  target.verdict = report.verdicts.get(target.job.id) ?? null;
  if (target.was !== 'executing') target.was = target.now;
}

/**
 * The plan after some of the jobs whose workers were about to stop turned out not to execute any more.
 * @param seen.over these jobs
 * @param seen.still those that execute
 * @param seen.unfinished those of `over` whose rows had been ended by somebody else, and whose logs do not show an end
 */
export function updatePlan(
  plan: Pick<KillPlan, 'targets' | 'report'>,
  report: LiveReport,
  {
    over,
    still,
    unfinished,
  }: {over: readonly number[]; still: ReadonlySet<number>; unfinished: ReadonlySet<number>},
): void {
  // A row that was deleted meanwhile no longer shows the key of a job that goes on.
  const known = [...still].flatMap((id) => {
    const places = placesOf(plan.report, id);
    return places.length === 0 ? [] : [[id, places] as const];
  });
  plan.report = {...report, found: new Map([...known, ...report.found])};
  for (const target of plan.targets.values()) {
    updateState(target, plan);
    if (!over.includes(target.job.id)) continue;
    // It executed a moment before: that it does no more has to be proved before its row is changed.
    if (stateNow(target.job, report) === 'executing') noteGoingOn(target);
    if (target.now === 'executing') target.now = 'uncertain';
    if (target.now === 'ended' && unfinished.has(target.job.id)) {
      target.now = 'uncertain';
      target.verdict = FORGOTTEN;
    }
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
