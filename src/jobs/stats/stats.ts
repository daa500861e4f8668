import type {Database, SqlValue} from '../../mysql/database.ts';
import {noJobs} from '../model/count.ts';
import {type JobFilter, jobCondition, objectJoin} from '../model/filter.ts';
import {JOB_STATUSES, STATUSES, type StatusCounts, statusFromTermId} from '../model/job.ts';
import {type JobClock, wallTime} from '../model/load-jobs.ts';
import {DayClock} from './day-clock.ts';

/** The matching jobs in figures, as `jobs:stats --json` prints them. */
export interface JobStats {
  total: number;
  counts: StatusCounts;
  /** Age of the oldest job that the database calls running; null if there is none. */
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
  /** Errors among the jobs that ended, from 0 to 1; null if none has. */
  failedShare: number | null;
  /** Of the jobs that ended, whichever way; null if none has. */
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

/** A job as the statement of jobStats selects it. */
export type StatsRow = readonly [
  name: string | null,
  statusId: number | null,
  createdAt: string | null,
  completedAt: string | null,
  userId: number | null,
];

interface NameTally {
  counts: StatusCounts;
  durations: Durations;
  /** Start of the oldest running job; null if none runs. */
  oldestRunning: string | null;
}

/** Adds up jobs one by one. */
export class Tally {
  readonly #now: Date;
  readonly #clock: DayClock;
  readonly #names = new Map<string, NameTally>();
  readonly #days = new Map<string, StatusCounts>();
  readonly #users = new Map<number | null, StatusCounts>();

  constructor({time, now}: JobClock) {
    this.#now = now;
    this.#clock = new DayClock(time);
  }

  get userIds(): number[] {
    return [...this.#users.keys()].filter((id) => id !== null);
  }

  add([jobName, statusId, createdAt, completedAt, userId]: StatsRow): void {
    const status = statusFromTermId(statusId);
    const startedAt = wallTime(createdAt);
    const name = entry(this.#names, jobName ?? '', newName);
    name.counts[status]++;
    entry(this.#users, userId, noJobs)[status]++;
    if (startedAt === null) return;
    entry(this.#days, startedAt.slice(0, 10), noJobs)[status]++;
    if (!STATUSES[status].finished) name.oldestRunning = earlier(name.oldestRunning, startedAt);
    else if (completedAt !== null) {
      const seconds = this.#clock.toEpochSeconds(completedAt) - this.#clock.toEpochSeconds(startedAt);
      if (seconds >= 0) name.durations.add(seconds);
    }
  }

  /** The figures of all that was added. @param usernames by user id; a deleted user counts as none */
  stats(usernames: ReadonlyMap<number, string>): JobStats {
    const names = [...this.#names].map(([name, tally]) => this.#nameStats(name, tally));
    const counts = noJobs();
    for (const status of JOB_STATUSES) {
      for (const name of names) counts[status] += name.counts[status];
    }
    const ages = names.map((name) => name.oldestRunningSeconds).filter((age) => age !== null);
    return {
      total: sum(counts),
      counts,
      oldestRunningSeconds: ages.length === 0 ? null : Math.max(...ages),
      names: names.sort(byTotal(({name}) => name)),
      days: [...this.#days]
        .map(([day, ofDay]) => ({day, counts: ofDay}))
        .sort((one, other) => (one.day < other.day ? -1 : 1)),
      users: this.#userStats(usernames).sort(byTotal(({user}) => user ?? '')),
    };
  }

  #nameStats(name: string, {counts, durations, oldestRunning}: NameTally): NameStats {
    const ended = counts.completed + counts.error;
    return {
      name,
      total: sum(counts),
      counts,
      failedShare: ended === 0 ? null : counts.error / ended,
      durationSeconds: durations.summary(),
      oldestRunningSeconds: oldestRunning === null ? null : this.#age(oldestRunning),
    };
  }

  #age(startedAt: string): number {
    const seconds = Math.floor(this.#now.getTime() / 1000 - this.#clock.toEpochSeconds(startedAt));
    return Math.max(0, seconds);
  }

  #userStats(usernames: ReadonlyMap<number, string>): UserStats[] {
    return [...this.#users].map(([userId, counts]) => ({
      user: userId === null ? null : (usernames.get(userId) ?? null),
      userId,
      total: sum(counts),
      counts,
    }));
  }
}

function newName(): NameTally {
  return {counts: noJobs(), durations: new Durations(), oldestRunning: null};
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** Wall-clock texts sort as the times do. */
function earlier(one: string | null, other: string): string {
  return one === null || other < one ? other : one;
}

function sum(counts: StatusCounts): number {
  return JOB_STATUSES.reduce((total, status) => total + counts[status], 0);
}

/** The larger total first; equal ones by their text. */
function byTotal<Row extends {total: number}>(text: (row: Row) => string) {
  return (one: Row, other: Row) => other.total - one.total || (text(one) < text(other) ? -1 : 1);
}

/** How long a group of jobs took. A quantile may lie between two of them, so it need not be whole. */
export interface DurationSummary {
  /** Seconds, as the other two. */
  median: number;
  p95: number;
  longest: number;
}

/** Durations counted by the second: exact quantiles in the memory of the seconds that occur, not of the jobs. */
export class Durations {
  readonly #jobsBySecond = new Map<number, number>();

  add(seconds: number): void {
    this.#jobsBySecond.set(seconds, (this.#jobsBySecond.get(seconds) ?? 0) + 1);
  }

  /** The figures of all that was added; null if nothing was. */
  summary(): DurationSummary | null {
    const counted = [...this.#jobsBySecond].sort(([one], [other]) => one - other);
    const last = counted.at(-1);
    if (last === undefined) return null;
    const jobs = counted.reduce((total, [, count]) => total + count, 0);
    return {
      median: quantile(counted, jobs, 0.5),
      p95: quantile(counted, jobs, 0.95),
      longest: last[0],
    };
  }
}

/** Interpolates between neighbours, as spreadsheets' PERCENTILE and SQL's PERCENTILE_CONT do. */
function quantile(counted: readonly [number, number][], jobs: number, share: number): number {
  const rank = (jobs - 1) * share;
  const below = at(counted, Math.floor(rank));
  const above = at(counted, Math.ceil(rank));
  return below + (above - below) * (rank - Math.floor(rank));
}

/** The duration of the job with this rank, from 0, when the jobs stand in the order of their durations. */
function at(counted: readonly [number, number][], rank: number): number {
  let passed = 0;
  for (const [seconds, count] of counted) {
    passed += count;
    if (passed > rank) return seconds;
  }
  return Number.NaN;
}
