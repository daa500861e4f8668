import {placesOf} from '../live/live-state.ts';
import {type GearmanOutcome, type Killed, uncheckedSentence} from './complete.ts';
import {cancelledText, keylessText} from './goes-on.ts';
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
      gearman: unchecked.size > 0 || isAllSilent(plan) ? 'remains' : gearmanOf(plan, target),
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

/** Nothing can be read or taken out. */
function isAllSilent({report}: Pick<KillPlan, 'report'>): boolean {
  return silentServers(report).length === report.evidence.servers.length;
}

function inPart(unchecked: Target['unchecked']): string {
  return [
    'It will be removed from Gearman if it is found there, but its row will not be changed.',
    ...uncheckedSentence({unchecked}),
    'To change the row anyway, give --force.',
  ].join(' ');
}

function gearmanOf({workers}: KillPlan, {now, refused, isKeyless}: Target): GearmanOutcome {
  if (now === 'lost' || now === 'finished' || now === 'ended') return 'none';
  if (refused !== null) return 'remains';
  if (now !== 'executing' || workers !== null) return 'removed';
  return isKeyless ? 'remains' : 'cancelled';
}

function intention(options: KillOptions, plan: KillPlan, target: Target): string {
  const {deleteRows, force} = options;
  const {workers} = plan;
  const {now, verdict, isKeyless} = target;
  const row = deleteRows ? 'its row will be deleted' : 'its row will be marked as an error';
  const changed = `${row[0]!.toUpperCase()}${row.slice(1)}`;
  switch (now) {
    case 'queued':
      return `It will be removed from Gearman, and ${row}.`;
    case 'executing':
      if (workers !== null)
        return `Its worker will be stopped, it will be removed from Gearman, ${row}, and the worker will be started again.`;
      return isKeyless
        ? `Only ${row}. ${keylessText(target, options)}`
        : `${changed}. ${cancelledText(target, options)}`;
    case 'uncertain':
      if (isAllSilent(plan))
        return `${verdict?.reason ?? ''} ${changed}; Gearman may still have the job and hand it out.`.trim();
      return `${verdict?.reason ?? ''} ${force ? `In every state, ${row}.` : `If it waits in Gearman or is lost, ${row}; otherwise nothing will be changed.`}`.trim();
    default:
      return `${changed}.`;
  }
}

/** Whether some of the jobs have to be looked for among those that wait. */
export function mustProbe({report, targets}: KillPlan): boolean {
  if (isAllSilent({report})) return false;
  return [...targets.values()].some(({refused, now, job: {id}}) => {
    const isFound = now === 'queued' && placesOf(report, id).length > 0;
    return refused === null && !isFound && (now === 'uncertain' || now === 'queued');
  });
}
