import type {SiteTime} from '../atom/site-time.ts';
import {AtomctlError} from '../errors.ts';
import type {Database} from '../mysql/database.ts';
import {deleteJob} from './delete-jobs.ts';
import type {Job} from './job.ts';
import {markJobKilled} from './mark.ts';

/** How a killed job's row is to change. */
export interface RowChange {
  database: Database;
  time: SiteTime;
  now: () => Date;
  /** Removes the row and all that hangs on it, instead of marking it as an error. */
  deleteRows: boolean;
  /** Who kills, as the error note names them: user@host. */
  by: string;
  reason: string | null;
  /** The culture that AtoM is to show the note in. */
  culture: string;
}

export interface RowChanged {
  action: 'marked' | 'deleted' | 'refused';
  message: string;
}

/**
 * Marks or deletes the row of a job that is out of Gearman. What goes wrong is said, not thrown: by now something
 * was done that the caller has to report.
 */
export async function changeRow(options: RowChange, job: Job, was: string): Promise<RowChanged> {
  try {
    return options.deleteRows ? await deleteRow(options, job) : await markRow(options, job, was);
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {
      action: 'refused',
      message: `The row of job ${job.id} could not be changed: ${error.message} Kill it again to complete this.`,
    };
  }
}

async function deleteRow({database}: RowChange, job: Job): Promise<RowChanged> {
  const there = await deleteJob({database, id: job.id});
  return {
    action: 'deleted',
    message: there ? `Job ${job.id} is deleted.` : `Job ${job.id} was gone already.`,
  };
}

async function markRow(options: RowChange, job: Job, was: string): Promise<RowChanged> {
  const {database, time, now, by, reason, culture} = options;
  const nowWall = time.toWall(now());
  const because = reason === null ? '' : ` Reason: ${reason}`;
  const note = `Killed with atomctl by ${by} on ${nowWall}, while it was ${was}.${because}`;
  const marked = await markJobKilled({database, id: job.id, expected: job.status, note, culture, nowWall});
  if (marked.outcome === 'marked') return {action: 'marked', message: `Job ${job.id} is marked as an error.`};
  const end = marked.outcome === 'gone' ? 'its row is gone' : `it is ${marked.status} now`;
  return {
    action: 'refused',
    message: `Job ${job.id} changed in the meantime: ${end}. Its row was left as it is.`,
  };
}
