import type {Database, SqlValue} from '../mysql/database.ts';
import type {DurationSummary} from './durations.ts';
import type {JobFilter} from './filter.ts';
import type {StatusCounts} from './job.ts';
import type {JobClock} from './load-jobs.ts';
import {type StatsRow, Tally} from './stats-tally.ts';
import {jobCondition, objectJoin} from './where.ts';

/** The matching jobs in figures, as `jobs:stats --json` prints them. */
export interface JobStats {
  total: number;
  counts: StatusCounts;
  /** Age of the oldest job that the database calls running; null where there is none. */
  oldestRunningSeconds: number | null;
  /** By job name, the most frequent first. */
  names: NameStats[];
  /** By the day on which the jobs started, on the site's wall clock; the earliest first, days without jobs left out. */
  days: DayStats[];
  /** By user, the busiest first. */
  users: UserStats[];
}

export interface NameStats {
  name: string;
  total: number;
  counts: StatusCounts;
  /** Errors among the jobs that ended, from 0 to 1; null where none has. */
  failedShare: number | null;
  /** Of the jobs that ended, whichever way; null where none has. */
  durationSeconds: DurationSummary | null;
  oldestRunningSeconds: number | null;
}

export interface DayStats {
  /** `YYYY-MM-DD`. */
  day: string;
  counts: StatusCounts;
}

export interface UserStats {
  /** null for the command line, anonymous visitors and deleted users. */
  user: string | null;
  userId: number | null;
  total: number;
  counts: StatusCounts;
}

export interface StatsOptions extends JobClock {
  database: Database;
  filter: JobFilter;
}

/**
 * Figures of all matching jobs, from one query that streams the few columns that they need: memory grows with
 * the names, days, users and distinct durations, not with the jobs.
 * @throws AtomctlError for the database
 */
export async function jobStats(options: StatsOptions): Promise<JobStats> {
  const {database, filter} = options;
  const {sql, values} = statsStatement(filter);
  const tally = new Tally(options);
  await database.visit(sql, values, (row) => tally.add(row as StatsRow));
  return tally.stats(await usernames(database, tally.userIds));
}

/** The statement for what is tallied, in whatever order costs the database least. */
export function statsStatement(filter: JobFilter): {sql: string; values: SqlValue[]} {
  const condition = jobCondition(filter);
  return {
    sql: `SELECT job.name, job.status_id, object.created_at, job.completed_at, job.user_id
          FROM job ${objectJoin(condition)} WHERE ${condition.sql}`,
    values: condition.values,
  };
}

/** Looked up afterwards: the database would send each name with each of its user's jobs. */
async function usernames(database: Database, ids: number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const users = await database.query<{id: number; username: string | null}>(
    'SELECT user.id, user.username FROM user WHERE user.id IN (?)',
    [ids],
  );
  return new Map(users.map(({id, username}) => [id, username ?? '']));
}
