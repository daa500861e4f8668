import {AtomctlError} from '../../errors.ts';
import {changeRow, type RowChange, rehearseChange} from '../model/change-row.ts';
import type {KillOptions, KillPlan, Target} from './target.ts';

/**
 * Tries the change of each row and takes it back: what prevents one refuses its job while the queue is untouched.
 * @throws AtomctlError if the database does not answer; nothing was touched
 */
export async function rehearseRows(options: KillOptions, {targets}: KillPlan): Promise<void> {
  for (const target of targets.values()) {
    if (target.refused !== null || options.signal.aborted) continue;
    const {id} = target.job;
    try {
      const {outcome} = await rehearseChange(options.database, changeOf(options, target));
      if (outcome === 'gone' && !options.deleteRows) target.refused = `Job ${id} has no row any more.`;
      if (outcome === 'changed') target.refused = `Job ${id} changed meanwhile. Its row was left as it is.`;
    } catch (error) {
      if (!(error instanceof AtomctlError) || error.code === 'DATABASE_LOST') throw error;
      target.refused = `The row of job ${id} cannot be changed: ${error.message} Gearman was not touched.`;
    }
  }
}

/** Changes the row of a job that no worker gets any more. What goes wrong is in the target: by now something was done. */
export async function writeRow(options: KillOptions, target: Target): Promise<void> {
  try {
    target.row = await changeRow(options.database, changeOf(options, target));
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    target.row = {outcome: 'failed', error};
  }
}

function changeOf(options: KillOptions, {job, was, logLength}: Target): RowChange {
  const {time, now, by, reason, culture, force} = options;
  // A worker that writes to the log of a lost job shows that it is not lost.
  const seen = {
    status: job.status,
    logLength: was === 'lost' && !force ? (logLength ?? undefined) : undefined,
  };
  if (options.deleteRows) return {id: job.id, seen, to: {as: 'deleted'}};
  const nowWall = time.toWall(now());
  const because = reason === null ? '' : ` Reason: ${reason}`;
  const note = `Killed with atomctl by ${by} on ${nowWall}, while it was ${was}.${because}`;
  return {id: job.id, seen, to: {as: 'error', note, culture, nowWall}};
}
