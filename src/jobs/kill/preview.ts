import {placesOf} from '../live/live-state.ts';
import type {GearmanOutcome, Killed} from './complete.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/** What a kill would do to each job, as its result has it, if nothing changes until then. */
export function previewKill(options: KillOptions, plan: KillPlan): Killed[] {
  return [...new Set(options.ids)].map((id) => {
    const target = plan.targets.get(id);
    if (target === undefined)
      return {id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`};
    const {was, refused} = target;
    const action = refused !== null ? 'refused' : options.deleteRows ? 'deleted' : 'marked';
    return {
      id,
      was,
      action,
      gearman: gearmanOf(plan, target),
      message: refused ?? intention(options, plan, target),
    };
  });
}

function gearmanOf({report, workers}: KillPlan, {job, now, refused}: Target): GearmanOutcome {
  if (now === 'lost' || now === 'finished' || now === 'ended') return 'none';
  if (refused !== null) return 'remains';
  if (now !== 'executing' || workers !== null) return 'removed';
  return placesOf(report, job.id).length > 0 ? 'cancelled' : 'remains';
}

function intention(
  {deleteRows, force}: KillOptions,
  {report, workers}: KillPlan,
  {job, now, verdict}: Target,
): string {
  const row = deleteRows ? 'its row is deleted' : 'its row is marked as an error';
  const probe = 'atomctl probes the waiting jobs to find it, which counts one retry for each of them.';
  switch (now) {
    case 'queued':
      return `It is removed from Gearman, and ${row}.${placesOf(report, job.id).length > 0 ? '' : ` ${probe}`}`;
    case 'executing':
      if (workers !== null)
        return `Its worker is stopped, it is removed from Gearman, ${row}, and the worker is started again.`;
      if (placesOf(report, job.id).length === 0)
        return `Only ${row}: its key in Gearman is not known. Its worker continues until the job ends and may change the row back, and Gearman hands the job out again if that worker dies.`;
      return `Gearman does not hand it out again, and ${row}; its worker continues until the job ends and may change the row back.`;
    case 'uncertain':
      return `${verdict?.reason ?? ''} ${probe} ${force ? `Then ${row}, in every state.` : `If it waits there, it is removed, and ${row}; otherwise it is not changed.`}`.trim();
    default:
      return `${row[0]!.toUpperCase()}${row.slice(1)}.`;
  }
}
