import type {Queryable} from '../mysql/database.ts';
import {STATUSES} from './status.ts';

/** More than anybody chooses from. */
const MOST = 100;

/** Id and name of the running jobs, the newest first, a hundred at most, in one query over the index on the status. */
export async function runningNames(database: Queryable): Promise<{id: number; name: string}[]> {
  return database.query(
    `SELECT job.id, COALESCE(job.name, '') AS name FROM job WHERE job.status_id = ? ORDER BY job.id DESC LIMIT ${MOST}`,
    [STATUSES.running.termId],
  );
}
