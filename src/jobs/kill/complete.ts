import {AtomctlError} from '../../errors.ts';
import {type CancelOutcome, cancelByKey} from '../../queue/cancel-job.ts';
import {serverOfQueue} from '../../queue/snapshot.ts';
import {placesOf} from '../live/live-state.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import {cancelledText, endOf, keylessText} from './goes-on.ts';
import {markAsked, noteAnswer} from './progress.ts';
import {refusal} from './refusal.ts';
import {writeRows} from './rows.ts';
import {
  dequeued,
  isOutEverywhere,
  isTouched,
  type KillOptions,
  type KillPlan,
  type KillState,
  type Target,
} from './target.ts';

/** What became of the job in Gearman: nothing was there, or it is out, or it will not be handed out again. */
export type GearmanOutcome = 'removed' | 'cancelled' | 'none' | 'remains';

export interface Killed {
  id: number;
  /** null if there is no such job. */
  was: KillState | null;
  /** `refused`: nothing was touched. `failed`: something was, or that is not known. */
  action: 'marked' | 'deleted' | 'refused' | 'failed';
  gearman: GearmanOutcome;
  message: string;
}

/** Changes the rows that are still to be changed, or refuses to, and reports each job in the order of the ids. */
export async function complete(
  options: KillOptions,
  plan: KillPlan,
): Promise<{killed: Killed[]; stoppedEarly: boolean}> {
  const outcomes = new Map<Target, Killed | GearmanOutcome>();
  for (const target of plan.targets.values()) {
    const outcome = settle(options, plan, target);
    outcomes.set(
      target,
      outcome === 'to cancel' ? asFarAsChecked(target, await cancelEverywhere(plan, target)) : outcome,
    );
  }
  const open = [...outcomes].flatMap(([target, outcome]) =>
    typeof outcome === 'string' && target.row === null ? [target] : [],
  );
  await writeRows(
    options,
    open.filter((target) => isOut(target, plan.report)),
  );
  if (!options.signal.aborted) {
    const others = open.filter((target) => !isOut(target, plan.report));
    await writeRows(options, others, () => !options.signal.aborted);
  }
  return {killed: reportAll(options, plan, outcomes), stoppedEarly: open.some(({row}) => row === null)};
}

/** What is reported of each job, in the order of the ids. `outcomes` has every target of the plan. */
export function reportAll(
  options: Pick<KillOptions, 'ids' | 'deleteRows' | 'noSystemd'>,
  {targets}: Pick<KillPlan, 'targets'>,
  outcomes: ReadonlyMap<Target, Killed | GearmanOutcome>,
): Killed[] {
  return [...new Set(options.ids)].map((id): Killed => {
    const target = targets.get(id);
    if (target === undefined)
      return {id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`};
    const outcome = outcomes.get(target)!;
    if (typeof outcome !== 'string') return outcome;
    return target.row === null ? interrupted(target) : killedReport(target, outcome, options);
  });
}

const OUT = new Set<unknown>(['removed', 'cancelled']);

/** Whether no worker is handed the job any more. */
export function isOut(target: Target, report: KillPlan['report']): boolean {
  return OUT.has(dequeued(target, report));
}

/** What is reported of a job whose row stays as it is, or what became of it in Gearman if the row is to change. */
export function settle(
  options: KillOptions,
  plan: Pick<KillPlan, 'report' | 'problems'>,
  target: Target,
): Killed | GearmanOutcome | 'to cancel' {
  if (target.refused !== null) return refused(target, target.refused);
  const done = dequeued(target, plan.report);
  if (done === 'cancelled' && !options.force) {
    const message = [cancelledOnly(target, options), ...uncheckedSentence(target)].join(' ');
    return {...identity(target), action: 'failed', gearman: 'cancelled', message};
  }
  if (done === 'removed' && !isOutEverywhere(target, plan.report, options))
    return {...identity(target), action: 'failed', gearman: 'remains', message: removedInPart(target)};
  if (done === 'unknown') {
    if (!options.force && (options.signal.aborted || !isGone(target)))
      return {...identity(target), action: 'failed', gearman: 'remains', message: notKnown(target)};
  } else if (done !== null) return asFarAsChecked(target, done);
  // Interrupted, it is left as it is, whatever its state.
  if (options.signal.aborted) return 'none';
  const message = refusal(options, plan, target);
  if (message !== null) return refused(target, message);
  return isGone(target) ? 'none' : 'to cancel';
}

/** Of a job that a signal saved. */
export function interrupted(target: Target): Killed {
  return refused(target, `Interrupted: job ${target.job.id} was not changed.`);
}

function identity({job: {id}, was}: Target): Pick<Killed, 'id' | 'was'> {
  return {id, was};
}

/** A server that was not asked may have the job too. */
export function asFarAsChecked({unchecked}: Target, outcome: GearmanOutcome): GearmanOutcome {
  return unchecked.size > 0 ? 'remains' : outcome;
}

/** Which servers were not asked, and why; empty if all were. */
export function uncheckedSentence({unchecked}: Pick<Target, 'unchecked'>): string[] {
  if (unchecked.size === 0) return [];
  const servers = [...unchecked.keys()].join(' and ');
  return [
    `${servers} may have the job but could not be checked: ${[...new Set(unchecked.values())].join(' ')}`,
  ];
}

/** Of a job that is out of some servers while others could not be asked. */
function removedInPart(target: Target): string {
  return [
    `Job ${target.job.id} was removed from ${takenFrom(target)}, but its row was not changed.`,
    ...uncheckedSentence(target),
    'Run the same command again when that is over; to change the row anyway, give --force.',
  ].join(' ');
}

function takenFrom({inQueues}: Target): string {
  const taken = [...inQueues].filter(([, done]) => done === 'removed' || done === 'cancelled');
  return [...new Set(taken.map(([queue]) => serverOfQueue(queue)))].join(' and ');
}

/** Left as it is. What was touched all the same has failed: its cancel may have ended it. */
function refused(target: Target, message: string): Killed {
  const gearman = isGone(target) ? 'none' : 'remains';
  if (!isTouched(target)) return {...identity(target), action: 'refused', gearman, message};
  const servers = takenFrom(target);
  const {id} = target.job;
  const touched =
    servers === ''
      ? `Gearman was asked to remove job ${id}.`
      : `Job ${id} was removed from ${servers}, but not from all servers.`;
  return {...identity(target), action: 'failed', gearman, message: `${touched} ${message}`};
}

/** True if no server has the job. */
function isGone({now}: Target): boolean {
  return now === 'ended' || now === 'finished' || now === 'lost';
}

/** Of a job that is not handed out again: what its worker does, or did. */
function cancelledOnly(target: Target, {noSystemd}: KillOptions): string {
  const {job, was, now} = target;
  const {id} = job;
  const end = `To end it: ${endOf(target, {deleteRows: false, noSystemd})}`;
  if (now !== 'executing') {
    return (
      `Job ${id} or its worker ended during the cancellation. Gearman will not hand it out again; its row was not changed. ` +
      `If atomctl jobs:show ${id} still says Running, run the same command again.`
    );
  }
  if (was === 'executing') {
    return (
      `Job ${id} is still executing: its worker did not stop. Gearman will not hand it out again; its row was not changed. ` +
      end
    );
  }
  return (
    `A worker started job ${id} during the removal, or may have started it. Gearman will not hand it out again, but its worker continues; ` +
    `its row was not changed. ${end}`
  );
}

function notKnown({job: {id}}: Target): string {
  return (
    `The answer of Gearman to the removal of job ${id} was lost, so atomctl does not know if it was removed. ` +
    'Its row was not changed. Run the same command again to complete this.'
  );
}

/** For a forced kill: cancels a job wherever it was found by its key, waiting or executing. */
async function cancelEverywhere(plan: KillPlan, target: Target): Promise<GearmanOutcome> {
  const outcomes: CancelOutcome[] = [];
  for (const place of placesOf(plan.report, target.job.id))
    if (target.inQueues.get(place.queue) !== 'removed') outcomes.push(await cancel(plan, target, place));
  return forcedOutcome(target, outcomes);
}

async function cancel(plan: KillPlan, target: Target, place: FoundJob): Promise<CancelOutcome> {
  try {
    const outcome = await cancelByKey(place.server, place, {
      executingToo: true,
      onAsked: () => markAsked(target, place.queue),
    });
    if (outcome === 'removed' || outcome === 'cancelled') noteAnswer(plan, target, place.queue, outcome);
    return outcome;
  } catch (error) {
    if (error instanceof AtomctlError) return 'absent';
    throw error;
  }
}

/** What a forced kill has done to a job, over its queues. No worker was stopped. */
export function forcedOutcome(
  {was, now}: Pick<Target, 'was' | 'now'>,
  outcomes: readonly CancelOutcome[],
): GearmanOutcome {
  // A server that was restarted knows nothing of a job that a worker goes on with.
  if (outcomes.length === 0 || outcomes.includes('absent') || outcomes.includes('executing'))
    return 'remains';
  // One that waits in Gearman may execute all the same, by a worker that lost its connection.
  return outcomes.includes('cancelled') || [was, now].includes('executing') ? 'cancelled' : 'removed';
}

/** What is said of a job whose row was written, or could not be; nothing is changed. */
export function killedReport(
  target: Target,
  gearman: GearmanOutcome,
  options: Pick<KillOptions, 'deleteRows' | 'noSystemd'>,
): Killed {
  const {deleteRows} = options;
  const {id} = target.job;
  const row = target.row!;
  const touched = gearman === 'removed' || gearman === 'cancelled';
  const done = (message: string): Killed => ({
    ...identity(target),
    action: deleteRows ? 'deleted' : 'marked',
    gearman,
    message: [
      message,
      remainder(target, gearman, options),
      mayGoOn(target, gearman) ? mayGoOnText(deleteRows) : '',
      ...(gearman === 'remains' ? uncheckedSentence(target) : []),
    ]
      .filter(Boolean)
      .join(' '),
  });
  const notDone = (message: string, isFailure = touched || isTouched(target)): Killed => ({
    ...identity(target),
    action: isFailure ? 'failed' : 'refused',
    gearman,
    message: `${touched ? `Job ${id} is removed from Gearman and will not be handed out again. ` : ''}${message}`,
  });
  switch (row.outcome) {
    case 'done':
      return done(deleteRows ? `Job ${id} is deleted.` : `Job ${id} is marked as an error.`);
    case 'gone':
      return deleteRows
        ? done(`Job ${id} was already deleted.`)
        : notDone(`Its row no longer exists: it was deleted by something else.`);
    case 'changed':
      return notDone(
        row.status === target.job.status
          ? `The log of job ${id} grew meanwhile: a worker is running it. Its row was not changed.`
          : `Job ${id} changed meanwhile: it is ${row.status} now. Its row was not changed.`,
      );
    case 'failed':
      return notDone(
        `The row of job ${id} still says Running, because it could not be changed: ${row.error.message} Run the same command again to complete this.`,
      );
    case 'unknown':
      return notDone(
        `atomctl does not know if the row of job ${id} was changed: ${row.error.message} To check: atomctl jobs:show ${id}`,
        true,
      );
  }
}

/** A job that waited although a worker had begun it: Gearman hands it out again if its worker dies or loses its connection. */
function mayGoOn({was, logLength}: Target, gearman: GearmanOutcome): boolean {
  return gearman === 'removed' && was === 'queued' && (logLength ?? 0) > 0;
}

function mayGoOnText(deleteRows: boolean): string {
  const then = deleteRows ? 'it fails at its next write to the row' : 'it may change the row back';
  return `A worker had started it before: if that worker only lost its connection to Gearman, it continues, and ${then}.`;
}

/** What is left to say of Gearman after a row was changed. */
function remainder(
  target: Target,
  gearman: GearmanOutcome,
  options: Pick<KillOptions, 'deleteRows' | 'noSystemd'>,
): string {
  switch (gearman) {
    case 'removed':
      return 'Its Gearman job is removed.';
    case 'cancelled':
      return cancelledText(target, options);
    case 'none':
      return '';
    case 'remains':
      if (target.isKeyless) return keylessText(target, options);
      return options.deleteRows
        ? 'Gearman may still have the job and hand it out, or a worker may still run it; without its row it then fails, and the worker process may end.'
        : 'Gearman may still have the job and hand it out, or a worker may still run it and change the row back.';
  }
}
