import type {Database, Queryable, SqlValue} from '../mysql/database.ts';
import type {JobFilter} from './filter.ts';
import type {Job} from './job.ts';
import {type JobClock, loadJobs} from './load-jobs.ts';
import {JOB_STATUSES, STATUSES} from './status.ts';
import {type JobCondition, jobCondition, objectJoin} from './where.ts';

export const SORT_KEYS = ['id', 'name', 'status', 'started', 'finished', 'duration'] as const;

export interface JobSort {
  key: (typeof SORT_KEYS)[number];
  descending: boolean;
}

export interface JobQuery extends JobClock {
  filter: JobFilter;
  sort: JobSort;
  /** null for all. */
  limit: number | null;
  offset: number;
}

/** Jobs are loaded this many at a time, so that neither a query nor its answer grows without bound. */
const JOBS_PER_QUERY = 10_000;
/** The largest LIMIT that MySQL takes: its way to say "no limit, but an offset". */
const NO_LIMIT = '18446744073709551615';

/** One page of the matching jobs. */
export async function listJobs(query: JobQuery & {database: Database}): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const some of jobPages(query)) jobs.push(...some);
  return jobs;
}

/**
 * The jobs of `listJobs`, some thousands at a time. First the ids of the whole page are read, without their
 * rows, so that a large offset skips index entries only.
 */
export async function* jobPages(query: JobQuery & {database: Database}): AsyncIterable<Job[]> {
  const {database, time, now} = query;
  const ids = await pageIds(query);
  for (let start = 0; start < ids.length; start += JOBS_PER_QUERY) {
    yield await loadJobs({database, time, now, ids: ids.slice(start, start + JOBS_PER_QUERY)});
  }
}

async function pageIds(query: JobQuery & {database: Queryable}): Promise<number[]> {
  const {sql, values} = pageStatement(query);
  return (await query.database.query<{id: number}>(sql, values)).map(({id}) => id);
}

/** The statement for a page's ids. Newest first is job's primary key read backwards: no sort, no other table. */
export function pageStatement(query: JobQuery): {sql: string; values: SqlValue[]} {
  const condition = jobCondition(query.filter);
  const direction = query.sort.descending ? 'DESC' : 'ASC';
  const sorting = sortExpression(query);
  const order = [sorting.sql, 'job.id'].filter((part) => part !== '').map((part) => `${part} ${direction}`);
  return {
    sql: `SELECT job.id FROM job ${sortJoin(condition, query.sort)} WHERE ${condition.sql}
          ORDER BY ${order.join(', ')} LIMIT ${query.limit ?? NO_LIMIT} OFFSET ${query.offset}`,
    values: [...condition.values, ...sorting.values],
  };
}

function sortJoin(condition: JobCondition, sort: JobSort): string {
  return sort.key === 'started' || sort.key === 'duration' ? objectJoin(condition) : condition.join;
}

/** What comes before the id in ORDER BY. Jobs without the value stand where MySQL puts NULL: below all others. */
function sortExpression({sort, time, now}: JobQuery): {sql: string; values: SqlValue[]} {
  switch (sort.key) {
    case 'id':
      return {sql: '', values: []};
    case 'name':
      return {sql: 'job.name', values: []};
    case 'status':
      return {sql: STATUS_ORDER, values: []};
    case 'started':
      return {sql: 'object.created_at', values: []};
    case 'finished':
      return {sql: 'job.completed_at', values: []};
    case 'duration':
      return {
        sql: 'TIMESTAMPDIFF(SECOND, object.created_at, IF(job.status_id = ?, ?, job.completed_at))',
        values: [STATUSES.running.termId, time.toWall(now)],
      };
  }
}

/** Statuses sort as the table of statuses has them, unknown last. */
const STATUS_ORDER = `CASE ${JOB_STATUSES.filter((status) => STATUSES[status].termId !== null)
  .map((status, rank) => `WHEN job.status_id = ${STATUSES[status].termId} THEN ${rank}`)
  .join(' ')} ELSE ${JOB_STATUSES.length} END`;
