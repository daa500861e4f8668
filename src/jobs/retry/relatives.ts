/** The jobs that repeat one another, by the notes of their retries. */
import type {Queryable} from '../../mysql/database.ts';
import {type JobStatus, statusFromTermId} from '../model/job.ts';

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
