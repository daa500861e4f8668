import type {Database} from '../../mysql/database.ts';
import {noJobs} from '../model/count.ts';
import {type JobFilter, jobCondition} from '../model/filter.ts';
import {JOB_STATUSES, type JobStatus, STATUSES, type StatusCounts, statusFromTermId} from '../model/job.ts';
import {type JobIds, jobIds} from './job-ids.ts';

/** What a clear will delete: settled before the question is asked, and not widened afterwards. */
export interface ClearPlan {
  filter: JobFilter;
  counts: StatusCounts;
  total: number;
  /** The jobs that matched at the question. Others stay, though they may match later: they were neither counted nor shown. */
  ids: JobIds;
  /** Those of them that say Running and that no worker had begun. One that begins afterwards stays. */
  unbegun: JobIds;
  /** Absent if the history is not saved, or not yet. */
  exported?: ExportedJobs;
}

/** The jobs of a plan whose history is saved: all that it still has. */
export interface ExportedJobs {
  /** By the status that the file has. One that has another since stays: the file lacks its end. */
  as: Readonly<Record<JobStatus, JobIds>>;
  /** The same command again would replace the file, or be refused because it exists. */
  needsOtherName: boolean;
}

/** What would be cleared. `inactive` leaves out the jobs that are running, as AtoM's "Clear inactive jobs" does. */
export async function planClear(options: {
  database: Database;
  filter: JobFilter;
  inactive: boolean;
}): Promise<ClearPlan> {
  const {database} = options;
  const filter = options.inactive ? finishedOnly(options.filter) : options.filter;
  const {join, sql, values} = jobCondition(filter);
  const counts = noJobs();
  // First, so that none is missed that begins meanwhile.
  const unbegun = options.inactive ? [] : await unbegunIds(database, filter);
  const ids: number[] = [];
  await database.visit(
    `SELECT job.id, job.status_id FROM job ${join} WHERE ${sql}`,
    values,
    ([id, status]) => {
      ids.push(id as number);
      counts[statusFromTermId(status as number | null)]++;
    },
  );
  return {filter, counts, total: ids.length, ids: jobIds(ids), unbegun: jobIds(unbegun)};
}

/** A worker writes to the log of a job that it begins. Of other rows the log is not read: it may be long. */
async function unbegunIds(database: Database, filter: JobFilter): Promise<number[]> {
  const {join, sql, values} = jobCondition(filter);
  const rows = await database.query<{id: number}>(
    `SELECT job.id FROM job ${join} WHERE ${sql} AND job.status_id = ? AND COALESCE(LENGTH(job.output), 0) = 0`,
    [...values, STATUSES.running.termId],
  );
  return rows.map(({id}) => id);
}

function finishedOnly(filter: JobFilter): JobFilter {
  const statuses = (filter.statuses ?? JOB_STATUSES).filter((status) => STATUSES[status].finished);
  return {...filter, statuses};
}
