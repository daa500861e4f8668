/** Jobs that execute, and that a hold could not wait for: it asks Gearman. */
import type {RowEvidence} from '../live/evidence.ts';
import {executingJobs, type LiveReport} from '../live/live-state.ts';

/**
 * The executing jobs that no Gearman server runs under a prefix of the site, as after a restart of gearmand; if only their count shows
 * that there are such jobs, all that execute. A job may execute whose row has ended: it is in Gearman's counts and not among the rows.
 */
export function unseenJobs(report: LiveReport): {id: number; name: string}[] {
  const {rows, queues} = report.evidence;
  const own = queues.filter(({owner, running}) => owner === 'site' && running > 0);
  const busy = new Set(own.map(({queue}) => queue));
  const isUnseen = ({key, keyAsked, known, queues: possible}: RowEvidence) => {
    if (known?.running) return !busy.has(known.queue);
    return (key === 'exact' && keyAsked) || !possible.some((queue) => busy.has(queue));
  };
  const executing = executingJobs(report);
  const unseen = new Set(rows.filter(isUnseen).map(({id}) => id));
  const proved = executing.filter(({id}) => unseen.has(id));
  if (proved.length > 0) return proved;
  return executing.length > own.reduce((sum, {running}) => sum + running, 0) ? executing : [];
}
