import type {SiteTime} from '../../atom/site-time.ts';
import {AtomctlError} from '../../errors.ts';
import type {Database, Queryable} from '../../mysql/database.ts';
import {deleteJob, type Transactional} from '../model/delete-jobs.ts';
import {ERROR_NOTE_TYPE_ID, type Job, type JobStatus, STATUSES, statusFromTermId} from '../model/job.ts';

export interface MarkOptions {
  database: Transactional;
  id: number;
  /** The status that the decision rests on; a job that has another one by now is left as it is. */
  expected: JobStatus;
  /** What the job becomes. */
  as: 'completed' | 'error';
  /** The note's text. */
  note: string;
  /** The culture that the note is in, for instance `en`. */
  culture: string;
  /** Now, on the site's wall clock. */
  nowWall: string;
}

/** What became of the job: marked, changed meanwhile (its status now), or gone meanwhile. */
export type MarkOutcome = {outcome: 'marked'} | {outcome: 'changed'; status: JobStatus} | {outcome: 'gone'};

/** Ends a job in the database as AtoM's setStatusError and setStatusCompleted do: status, finish time now, a note. */
export function markJob(options: MarkOptions): Promise<MarkOutcome> {
  const {database, id, expected, nowWall} = options;
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{status_id: number | null}>(
      'SELECT job.status_id FROM job WHERE job.id = ? FOR UPDATE',
      [id],
    );
    if (!row) return {outcome: 'gone'};
    const status = statusFromTermId(row.status_id);
    if (status !== expected) return {outcome: 'changed', status};
    await tx.execute('UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?', [
      STATUSES[options.as].termId,
      nowWall,
      id,
    ]);
    await tx.execute("UPDATE object SET updated_at = ? WHERE id = ? AND class_name = 'QubitJob'", [
      nowWall,
      id,
    ]);
    await addNote(tx, options);
    return {outcome: 'marked'};
  });
}

/** Sites from before 2021 lack the term of error notes, and the foreign key needs it to exist: then no type. */
async function addNote(tx: Queryable, {id, as, note, culture}: MarkOptions): Promise<void> {
  await tx.execute(
    `INSERT INTO note (object_id, type_id, source_culture, serial_number)
     VALUES (?, (SELECT term.id FROM term WHERE term.id = ?), ?, 0)`,
    [id, as === 'error' ? ERROR_NOTE_TYPE_ID : null, culture],
  );
  await tx.execute('INSERT INTO note_i18n (id, culture, content) VALUES (LAST_INSERT_ID(), ?, ?)', [
    culture,
    note,
  ]);
}

/** How a killed job's row is to change. */
export interface RowChange {
  database: Database;
  time: SiteTime;
  now: () => Date;
  /** Removes the row and all that belongs to it, instead of marking it as an error. */
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
  const mark = {id: job.id, expected: job.status, as: 'error', note, culture, nowWall} as const;
  const marked = await markJob({database, ...mark});
  if (marked.outcome === 'marked') return {action: 'marked', message: `Job ${job.id} is marked as an error.`};
  const end = marked.outcome === 'gone' ? 'its row is gone' : `it is ${marked.status} now`;
  return {
    action: 'refused',
    message: `Job ${job.id} changed in the meantime: ${end}. Its row was left as it is.`,
  };
}
