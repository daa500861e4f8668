import type {Database, SqlValue} from '../../mysql/database.ts';
import {type JobCondition, type JobFilter, jobCondition, objectJoin} from './filter.ts';
import {JOB_STATUSES, type Job, STATUSES} from './job.ts';
import {type LoadOptions, loadJobs, loadPage, type Statement} from './load-jobs.ts';

export const SORT_KEYS = ['id', 'name', 'status', 'started', 'finished', 'duration'] as const;

export interface JobSort {
  key: (typeof SORT_KEYS)[number];
  descending: boolean;
}

export interface JobQuery extends Omit<LoadOptions, 'database'> {
  filter: JobFilter;
  sort: JobSort;
  /** null for all. */
  limit: number | null;
  offset: number;
}

/** At most so many ids in one query, so that no query grows without bound. */
const IDS_PER_QUERY = 10_000;
/** The largest LIMIT that MySQL takes: its way to say "no limit, but an offset". */
const NO_LIMIT = '18446744073709551615';

/** One page of the matching jobs. A large offset skips index entries only, since a page is first a page of ids. */
export async function listJobs(query: JobQuery & {database: Database}): Promise<Job[]> {
  const {database, sort} = query;
  const page = pageStatement(query);
  if (sort.key === 'id') {
    const jobs = [...(await loadPage({...query, page})).values()];
    return jobs.sort((one, other) => (sort.descending ? other.id - one.id : one.id - other.id));
  }
  // Only the server knows the order, and a join would lose it.
  const ids = (await database.query<{id: number}>(page.sql, page.values)).map(({id}) => id);
  const jobs: Job[] = [];
  for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
    jobs.push(...(await loadJobs({...query, ids: ids.slice(start, start + IDS_PER_QUERY)})));
  }
  return jobs;
}

/** The statement for a page's ids. Newest first is job's primary key read backwards: no sort, no other table. */
function pageStatement(query: JobQuery): Statement {
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

/** What comes before the id in ORDER BY. Jobs without the value come first, as MySQL sorts NULL: below all others. */
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
        sql: 'NULLIF(GREATEST(-1, TIMESTAMPDIFF(SECOND, object.created_at, IF(job.status_id = ?, ?, job.completed_at))), -1)',
        values: [STATUSES.running.termId, time.toWall(now)],
      };
  }
}

/** Statuses sort as the table of statuses has them, unknown last. */
const STATUS_ORDER = `CASE ${JOB_STATUSES.filter((status) => STATUSES[status].termId !== null)
  .map((status, rank) => `WHEN job.status_id = ${STATUSES[status].termId} THEN ${rank}`)
  .join(' ')} ELSE ${JOB_STATUSES.length} END`;
