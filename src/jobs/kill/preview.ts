import {placesOf} from '../live/live-state.ts';
import {type GearmanOutcome, type Killed, uncheckedSentence} from './complete.ts';
import {cancelledText, notCancelledText} from './goes-on.ts';
import {silentServers} from './progress.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/** What a kill would do to each job, as its result has it, if nothing changes until then. */
export function previewKill(options: KillOptions, plan: KillPlan): Killed[] {
  return [...new Set(options.ids)].map((id) => {
    const target = plan.targets.get(id);
    if (target === undefined)
      return {id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`};
    const {was, refused} = target;
    if (refused !== null)
      return {id, was, action: 'refused', gearman: gearmanOf(plan, target), message: refused};
    const unchecked = uncheckedOf(plan, target);
    if (unchecked.size > 0 && !options.force)
      return {id, was, action: 'failed', gearman: 'remains', message: inPart(unchecked)};
    return {
      id,
      was,
      action: options.deleteRows ? 'deleted' : 'marked',
      gearman: unchecked.size > 0 ? 'remains' : gearmanOf(plan, target),
      message: intention(options, plan, target),
    };
  });
}

/** The servers that may have a job too and do not answer, if it will be taken out of another. */
function uncheckedOf({report, workers}: KillPlan, {now}: Target): Map<string, string> {
  const silent = silentServers(report);
  const isTaken = now === 'queued' || now === 'uncertain' || (now === 'executing' && workers !== null);
  if (!isTaken || silent.length === report.evidence.servers.length) return new Map();
  return new Map(silent.map(({server, reason}) => [server, reason]));
}

function inPart(unchecked: Target['unchecked']): string {
  return [
    'It is removed from Gearman if it is found there, but its row is not changed.',
    ...uncheckedSentence({unchecked}),
    'To change the row anyway, give --force.',
  ].join(' ');
}

function gearmanOf({workers}: KillPlan, {now, refused, notCancelled}: Target): GearmanOutcome {
  if (now === 'lost' || now === 'finished' || now === 'ended') return 'none';
  if (refused !== null) return 'remains';
  if (now !== 'executing' || workers !== null) return 'removed';
  return notCancelled === null ? 'cancelled' : 'remains';
}

function intention(options: KillOptions, {report, workers}: KillPlan, target: Target): string {
  const {deleteRows, force} = options;
  const {job, now, verdict, notCancelled} = target;
  const row = deleteRows ? 'its row is deleted' : 'its row is marked as an error';
  const changed = `${row[0]!.toUpperCase()}${row.slice(1)}`;
  const probe = 'atomctl probes the waiting jobs to find it, which counts one retry for each of them.';
  switch (now) {
    case 'queued':
      return `It is removed from Gearman, and ${row}.${placesOf(report, job.id).length > 0 ? '' : ` ${probe}`}`;
    case 'executing':
      if (workers !== null)
        return `Its worker is stopped, it is removed from Gearman, ${row}, and the worker is started again.`;
      return notCancelled === null
        ? `${changed}. ${cancelledText(target, options)}`
        : `Only ${row}. ${notCancelledText(target, options)}`;
    case 'uncertain':
      return `${verdict?.reason ?? ''} ${probe} ${force ? `Then ${row}, in every state.` : `If it waits there, it is removed, and ${row}; otherwise it is not changed.`}`.trim();
    default:
      return `${changed}.`;
  }
}
