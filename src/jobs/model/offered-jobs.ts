import type {Queryable} from '../../mysql/database.ts';
import {HAS_ENDED, type JobStatus, STATUSES, statusFromTermId} from './job.ts';

/** A job to choose from. */
export interface OfferedJob {
  id: number;
  name: string;
  status: JobStatus;
}

/** More than anybody chooses from. */
const MOST = 100;
/** Of these the names are taken, so that the cost does not grow with the history. */
const NEWEST = 1000;

/**
 * The newest jobs, newest first, a hundred at most: those that run, those that have ended, or all. One query over an
 * index.
 */
export async function offeredJobs(
  database: Queryable,
  which: 'running' | 'ended' | 'all',
): Promise<OfferedJob[]> {
  const condition = {
    running: 'job.status_id = ?',
    ended: HAS_ENDED,
    all: '? IS NOT NULL',
  }[which];
  const rows = await database.query<{id: number; name: string; status: number | null}>(
    `SELECT job.id, COALESCE(job.name, '') AS name, job.status_id AS status FROM job WHERE ${condition}
     ORDER BY job.id DESC LIMIT ${MOST}`,
    [STATUSES.running.termId],
  );
  return rows.map(({status, ...job}) => ({...job, status: statusFromTermId(status)}));
}

/** The names that the newest jobs have, the newest first. */
export async function newestNames(database: Queryable): Promise<string[]> {
  const rows = await database.query<{name: string}>(
    `SELECT name FROM (SELECT id, name FROM job ORDER BY id DESC LIMIT ${NEWEST}) AS newest
     WHERE name <> '' GROUP BY name ORDER BY MAX(id) DESC`,
  );
  return rows.map(({name}) => name);
}
