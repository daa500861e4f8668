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

/** A job that does the same work as another: one repeats the other, or both repeat a third. */
export interface Relative {
  id: number;
  name: string;
  status: JobStatus;
  /** A worker has written to its log. */
  began: boolean;
}

/**
 * The jobs with the same work as this one, in the order of their ids: what it repeats, the retries of that, and theirs, as far as
 * their rows still exist. A note of the old job names each retry, and a note of the new one names the old: both must be there,
 * since anybody who may edit notes could write one.
 * @throws AtomctlError for the database
 */
export async function relatives(database: Queryable, id: number): Promise<Relative[]> {
  const found = new Map<number, Relative>();
  for (let open = [id]; open.length > 0; ) {
    const rows = [
      ...(await database.query<RelativeRow>(RETRIES_OF, [open])),
      ...(await database.query<RelativeRow>(REPEATED_BY, [open])),
    ];
    open = [];
    for (const {id: otherId, name, status_id: statusId, began} of rows) {
      if (otherId === id || found.has(otherId)) continue;
      found.set(otherId, {
        ...{id: otherId, name: name ?? '', began: began === 1},
        status: statusFromTermId(statusId),
      });
      open.push(otherId);
    }
  }
  return [...found.values()].sort((one, other) => one.id - other.id);
}

interface RelativeRow {
  id: number;
  name: string | null;
  status_id: number | null;
  began: number;
}

const COLUMNS = 'job.id, job.name, job.status_id, job.output IS NOT NULL AS began';

const RETRIES_OF = `
  SELECT DISTINCT ${COLUMNS}
  FROM note old
  JOIN note_i18n told ON told.id = old.id AND told.content LIKE 'Started again as job %'
  JOIN job ON job.id = CAST(SUBSTRING_INDEX(SUBSTRING(told.content, 22), ' ', 1) AS UNSIGNED)
  JOIN note own ON own.object_id = job.id
  JOIN note_i18n tells ON tells.id = own.id AND tells.content LIKE CONCAT('Retry of job ', old.object_id, ',%')
  WHERE old.object_id IN (?)`;

const REPEATED_BY = `
  SELECT DISTINCT ${COLUMNS}
  FROM note own
  JOIN note_i18n tells ON tells.id = own.id AND tells.content LIKE 'Retry of job %'
  JOIN job ON job.id = CAST(SUBSTRING_INDEX(SUBSTRING(tells.content, 14), ',', 1) AS UNSIGNED)
  JOIN note old ON old.object_id = job.id
  JOIN note_i18n told ON told.id = old.id AND told.content LIKE CONCAT('Started again as job ', own.object_id, ' %')
  WHERE own.object_id IN (?)`;
