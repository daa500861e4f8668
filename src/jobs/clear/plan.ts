import type {Database} from '../../mysql/database.ts';
import {noJobs} from '../model/count.ts';
import {type JobFilter, jobCondition} from '../model/filter.ts';
import {JOB_STATUSES, STATUSES, type StatusCounts, statusFromTermId} from '../model/job.ts';
import {type JobIds, jobIds} from './job-ids.ts';

/** What a clear will delete: settled before the question is asked, and not widened afterwards. */
export interface ClearPlan {
  filter: JobFilter;
  counts: StatusCounts;
  total: number;
  /** The jobs that matched at the question. Others stay, though they may match later: they were neither counted nor shown. */
  ids: JobIds;
  /** Absent if the history is not saved, or not yet. */
  exported?: ExportedJobs;
}

/** The jobs of a plan whose history is saved: all that it still has. */
export interface ExportedJobs {
  /** Those that the file has as Running. One that has ended since stays: the file lacks its end. */
  running: JobIds;
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
  const ids: number[] = [];
  await database.visit(
    `SELECT job.id, job.status_id FROM job ${join} WHERE ${sql}`,
    values,
    ([id, status]) => {
      ids.push(id as number);
      counts[statusFromTermId(status as number | null)]++;
    },
  );
  return {filter, counts, total: ids.length, ids: jobIds(ids)};
}

function finishedOnly(filter: JobFilter): JobFilter {
  const statuses = (filter.statuses ?? JOB_STATUSES).filter((status) => STATUSES[status].finished);
  return {...filter, statuses};
}
