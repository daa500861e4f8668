import type {Queryable} from '../mysql/database.ts';
import type {JobFilter} from './filter.ts';
import type {StatusCounts} from './job.ts';
import {statusFromTermId} from './status.ts';
import {jobCondition} from './where.ts';

export interface JobSurvey {
  counts: StatusCounts;
  /** All that match, whatever their status. */
  total: number;
  /** The highest id that matches; 0 where none does. Jobs with a higher one came later. */
  lastId: number;
}

/**
 * Counts the matching jobs by status in one query, and says up to which id it looked. Without a filter the query
 * reads the index on job.status_id alone.
 */
export async function surveyJobs(options: {database: Queryable; filter: JobFilter}): Promise<JobSurvey> {
  const {join, sql, values} = jobCondition(options.filter);
  const rows = await options.database.query<{status_id: number | null; jobs: number; last_id: number}>(
    `SELECT job.status_id, COUNT(*) AS jobs, MAX(job.id) AS last_id
     FROM job ${join} WHERE ${sql} GROUP BY job.status_id`,
    values,
  );
  const survey: JobSurvey = {counts: noJobs(), total: 0, lastId: 0};
  for (const row of rows) {
    survey.counts[statusFromTermId(row.status_id)] += Number(row.jobs);
    survey.total += Number(row.jobs);
    survey.lastId = Math.max(survey.lastId, row.last_id);
  }
  return survey;
}

/** How many jobs match, by status: what surveyJobs counts, in two thirds of its time. */
export async function countJobs(options: {database: Queryable; filter: JobFilter}): Promise<StatusCounts> {
  const {join, sql, values} = jobCondition(options.filter);
  const rows = await options.database.query<{status_id: number | null; jobs: number}>(
    `SELECT job.status_id, COUNT(*) AS jobs FROM job ${join} WHERE ${sql} GROUP BY job.status_id`,
    values,
  );
  const counts = noJobs();
  for (const {status_id: statusId, jobs} of rows) counts[statusFromTermId(statusId)] += Number(jobs);
  return counts;
}

/** Zero for every status. */
export function noJobs(): StatusCounts {
  return {running: 0, completed: 0, error: 0, unknown: 0};
}
