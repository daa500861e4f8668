import type {Queryable} from '../../mysql/database.ts';
import {isFiltered, type JobFilter, jobCondition} from './filter.ts';
import {JOB_STATUSES, type Job, type StatusCounts, statusFromTermId} from './job.ts';

/** How many jobs match, by status. */
export async function countJobs(options: {database: Queryable; filter: JobFilter}): Promise<StatusCounts> {
  const {join, sql, values} = jobCondition(options.filter);
  // Without a filter the index on the status has all. With one, to look up each row from there takes two to three times as long
  // as to read the rows in their own order, which the sum brings about.
  const status = isFiltered(options.filter) ? 'job.status_id + 0' : 'job.status_id';
  const rows = await options.database.query<{status: number | null; jobs: number}>(
    `SELECT ${status} AS status, COUNT(*) AS jobs FROM job ${join} WHERE ${sql} GROUP BY ${status}`,
    values,
  );
  const counts = noJobs();
  for (const row of rows) counts[statusFromTermId(row.status)] += Number(row.jobs);
  return counts;
}

/** How many jobs match, not only those of a page. */
export interface JobTotals {
  /** null if nobody knows without another pass over the logs. */
  total: number | null;
  /** null if they were not counted; `total` is then the server's estimate, if it is one. */
  counts: StatusCounts | null;
}

/** A server counts these in a few hundredths of a second; many more take longer than the rest of a list. */
const QUICKLY_COUNTED = 200_000;

/**
 * How many jobs match, as the server's optimizer estimates it from its statistics, if the history is long: to
 * count it takes longer than the rest of a list. null if it is counted quickly, or a filter narrows it.
 */
export async function guessTotal(options: {
  database: Queryable;
  filter: JobFilter;
}): Promise<JobTotals | null> {
  if (isFiltered(options.filter)) return null;
  const [plan] = await options.database.query<{rows: number | string | null}>(
    'EXPLAIN SELECT COUNT(*) FROM job',
  );
  const guess = Number(plan?.rows ?? 0);
  return guess > QUICKLY_COUNTED ? {total: guess, counts: null} : null;
}

/** How many jobs match, counted. */
export async function totalJobs(options: {database: Queryable; filter: JobFilter}): Promise<JobTotals> {
  const counts = await countJobs(options);
  return {total: JOB_STATUSES.reduce((sum, status) => sum + counts[status], 0), counts};
}

/** The same, if these are all that match. */
export function totalOf(jobs: readonly Job[]): JobTotals {
  const counts = noJobs();
  for (const {status} of jobs) counts[status]++;
  return {total: jobs.length, counts};
}

/** Zero for every status. */
export function noJobs(): StatusCounts {
  return {running: 0, completed: 0, error: 0, unknown: 0};
}
