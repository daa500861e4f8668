import type {SiteTime} from '../atom/site-time.ts';
import type {Queryable} from '../mysql/database.ts';
import type {Backlog} from '../queue/backlog.ts';
import {STATUSES} from './status.ts';

/**
 * Counts the running rows and takes the age of the oldest, in one query over the index on `job.status_id`.
 * @throws AtomctlError where the database fails
 */
export async function readBacklog(
  database: Queryable,
  {time, now}: {time: SiteTime; now: Date},
): Promise<Backlog> {
  const [row] = await database.query<{running: number | string; oldest: string | null}>(
    `SELECT COUNT(*) AS running, MIN(object.created_at) AS oldest
     FROM job JOIN object ON object.id = job.id
     WHERE job.status_id = ?`,
    [STATUSES.running.termId],
  );
  const oldest = row?.oldest ?? null;
  const age = oldest === null ? null : Math.floor((now.getTime() - time.toEpochMs(oldest)) / 1000);
  return {running: Number(row?.running ?? 0), oldestSeconds: age && Math.max(0, age)};
}
