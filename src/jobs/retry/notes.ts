/** The notes that tie a retry to the job that it repeats. They are read again, so their beginnings must stay as they are. */
import type {Queryable} from '../../mysql/database.ts';
import {type JobStatus, statusFromTermId} from '../model/job.ts';

/** Who retries, when and why, as the end of both notes. */
export interface NoteEnd {
  by: string;
  nowWall: string;
  reason: string | null;
}

/** The note of the new job. */
export function noteOfRetry(oldId: number, end: NoteEnd): string {
  return `Retry of job ${oldId}, started with atomctl${endOf(end)}`;
}

/** The note of the old job. */
export function noteOfRetried(newId: number, end: NoteEnd): string {
  return `Started again as job ${newId} with atomctl${endOf(end)}`;
}

/** The note of an earlier retry that was lost before it ran, if the job is retried once more. */
export function noteOfLostRetry(oldId: number, end: NoteEnd): string {
  return `Lost; job ${oldId} was started again with atomctl${endOf(end)}`;
}

function endOf({by, nowWall, reason}: NoteEnd): string {
  return ` by ${by} on ${nowWall}.${reason === null ? '' : ` Reason: ${reason}`}`;
}

/** The job that a job with these notes repeats; null if none of them says so. */
export function retriedJob(notes: readonly {text: string}[]): number | null {
  for (const {text} of notes) {
    const [, id] = /^Retry of job ([1-9]\d{0,9}), started with atomctl /.exec(text) ?? [];
    if (id !== undefined) return Number(id);
  }
  return null;
}

/** A job that was made to repeat another one, or a retry of that. */
export interface EarlierRetry {
  id: number;
  name: string;
  status: JobStatus;
}

/**
 * The retries of a job whose rows still exist, and the retries of these. A note of the old job names each, and a note of the
 * new one names the old: both must be there, since anybody who may edit notes could write one.
 * @throws AtomctlError for the database
 */
export async function earlierRetries(database: Queryable, id: number): Promise<EarlierRetry[]> {
  const found = new Map<number, EarlierRetry>();
  for (let open = [id]; open.length > 0; ) {
    const rows = await database.query<{id: number; name: string | null; status_id: number | null}>(
      `SELECT DISTINCT job.id, job.name, job.status_id
       FROM note old
       JOIN note_i18n told ON told.id = old.id AND told.content LIKE 'Started again as job %'
       JOIN job ON job.id = CAST(SUBSTRING_INDEX(SUBSTRING(told.content, 22), ' ', 1) AS UNSIGNED)
       JOIN note own ON own.object_id = job.id
       JOIN note_i18n tells ON tells.id = own.id AND tells.content LIKE CONCAT('Retry of job ', old.object_id, ',%')
       WHERE old.object_id IN (?)`,
      [open],
    );
    open = [];
    for (const {id: newId, name, status_id: statusId} of rows) {
      if (newId === id || found.has(newId)) continue;
      found.set(newId, {id: newId, name: name ?? '', status: statusFromTermId(statusId)});
      open.push(newId);
    }
  }
  return [...found.values()];
}
