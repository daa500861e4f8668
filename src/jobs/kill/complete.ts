import {cancelInGearman, stillInGearman} from './dequeue.ts';
import {changeRow, type RowChanged} from './mark-or-delete.ts';
import type {KillOptions, KillPlan, KillState, Target} from './plan.ts';
import {refusal} from './refusal.ts';

/** What became of the job in Gearman: nothing was there, or it is out, or it will not be handed out again. */
export type GearmanOutcome = 'removed' | 'cancelled' | 'none' | 'remains';

export interface Killed {
  id: number;
  /** null if there is no such job. */
  was: KillState | null;
  action: 'marked' | 'deleted' | 'refused';
  gearman: GearmanOutcome;
  message: string;
}

/** Changes the rows that are still to be changed, or refuses to, and reports each job in the order of the ids. */
export async function complete(
  options: KillOptions,
  plan: KillPlan,
): Promise<{killed: Killed[]; interrupted: boolean}> {
  const killed: Killed[] = [];
  let interrupted = false;
  for (const id of new Set(options.ids)) {
    const target = plan.targets.get(id);
    if (target === undefined) {
      killed.push({id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`});
    } else if (target.dequeued !== null) {
      killed.push(await completeDequeued(options, target, target.dequeued));
    } else if (options.signal.aborted) {
      interrupted = true;
      killed.push(refused(target, `Interrupted: job ${id} was left as it is.`));
    } else killed.push(await completeOther(options, plan, target));
  }
  return {killed, interrupted};
}

async function completeDequeued(options: KillOptions, target: Target, unique: string): Promise<Killed> {
  const row = target.row ?? (await changeRow(options, target.job, target.was));
  return report(target, row, (await stillInGearman(options.servers, unique)) ? 'remains' : 'removed');
}

async function completeOther(options: KillOptions, plan: KillPlan, target: Target): Promise<Killed> {
  const message = refusal(options, plan, target);
  if (message !== null) return refused(target, message);
  const gearman = isGone(target) ? 'none' : await cancelInGearman(plan.report.found.get(target.job.id));
  return report(target, await changeRow(options, target.job, target.was), gearman);
}

function refused(target: Target, message: string): Killed {
  const {job, was} = target;
  return {id: job.id, was, action: 'refused', gearman: isGone(target) ? 'none' : 'remains', message};
}

/** True if no server has the job. */
function isGone({now}: Target): boolean {
  return now === 'ended' || now === 'finished' || now === 'lost';
}

function report({job: {id}, was}: Target, change: RowChanged, gearman: GearmanOutcome): Killed {
  const message = [change.message, REMAINDER[gearman]].filter(Boolean).join(' ');
  return {id, was, gearman, ...change, message};
}

/** What is left to say of Gearman after a row was changed. */
const REMAINDER: Record<GearmanOutcome, string> = {
  removed: 'Its Gearman job is gone.',
  cancelled: 'Its worker goes on until it ends; Gearman will not hand it out again.',
  none: '',
  remains: 'Gearman may still have the job and hand it out.',
};
