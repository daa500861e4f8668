import type {Database, SqlValue} from '../../mysql/database.ts';
import {noJobs} from '../model/count.ts';
import {type JobFilter, jobCondition, objectJoin} from '../model/filter.ts';
import {
  ERROR_NOTE_TYPE_ID,
  JOB_STATUSES,
  STATUSES,
  type StatusCounts,
  statusFromTermId,
} from '../model/job.ts';
import type {JobClock} from '../model/load-jobs.ts';
import {DayClock, dayOf, dayText} from './day-clock.ts';
import {type DurationSummary, Durations} from './durations.ts';
import {type FailureReason, FailureReasons} from './failure-reasons.ts';

/** The matching jobs in figures, as `jobs:stats --json` prints them. */
export interface JobStats {
  total: number;
  counts: StatusCounts;
  /** Age of the oldest job that the database calls running; null if there is none. */
  oldestRunningSeconds: number | null;
  /** By job name, the most frequent first. */
  byName: NameStats[];
  /** By the day on which the jobs started, on the site's wall clock; the earliest first, days without jobs left out. */
  days: DayStats[];
  /** By user, the busiest first. */
  users: UserStats[];
  /** Why jobs failed, the most frequent reason first. */
  failureReasons: FailureReason[];
}

export interface NameStats {
  name: string;
  total: number;
  counts: StatusCounts;
  /** Errors among the jobs that ended, from 0 to 1; null if none has. */
  failedShare: number | null;
  /** From the start to the log's first line; null if no job has one. */
  waitSeconds: DurationSummary | null;
  /** From the log's first line to the end, of the jobs that their worker ended; null if there is none. */
  runSeconds: DurationSummary | null;
  /** From the start to the end, of the same jobs and of those without a log. */
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

/** What TO_SECONDS gives for the first second of 1970. */
const TO_SECONDS_1970 = 62_167_219_200;
/** A wall-clock time as a number, which costs less to send and to read than its text; NULL for a zero date. */
const wallSeconds = (sql: string) => `TO_SECONDS(${sql}) - ${TO_SECONDS_1970}`;

const BEGUN = `IF(LEFT(job.output, 8) = '[info] [', ${wallSeconds('SUBSTRING(job.output, 9, 19)')}, NULL)`;

const NOTES = `FROM note JOIN note_i18n ON note_i18n.id = note.id AND note_i18n.culture = note.source_culture
               WHERE note.object_id = job.id`;

/** Whether atomctl ended the row, and not its worker: what kill, mark, retry and doctor --fix note. */
const ENDED_BY_ATOMCTL = `IF(job.completed_at IS NULL, 0, EXISTS (SELECT 1 ${NOTES}
  AND (note_i18n.content LIKE 'Killed with atomctl %' OR note_i18n.content LIKE 'Marked as % atomctl %'
       OR note_i18n.content LIKE 'Lost; job % was started again with atomctl %')))`;

/**
 * The message of a failed job. An error note comes before others, which older versions have in its place, and that of an
 * exception before the notes with its file and line; of several the last.
 */
const MESSAGE = `IF(job.status_id = ${STATUSES.error.termId},
  (SELECT SUBSTRING(MAX(CONCAT(note.type_id <=> ${ERROR_NOTE_TYPE_ID}, note_i18n.content LIKE 'Exception: %',
                               LPAD(note.id, 10, '0'), LEFT(note_i18n.content, 300))), 13)
   ${NOTES} AND note_i18n.content NOT LIKE 'Started again as job % with atomctl %'), NULL)`;

/** The statement for what is tallied, in whatever order costs the database least. */
export function statsStatement(filter: JobFilter): {sql: string; values: SqlValue[]} {
  const condition = jobCondition(filter);
  return {
    sql: `SELECT job.id, job.name, job.status_id, ${wallSeconds('object.created_at')}, ${BEGUN},
                 ${wallSeconds('job.completed_at')}, ${ENDED_BY_ATOMCTL}, job.user_id, ${MESSAGE}
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

/** A job as the statement of jobStats selects it; times are wall-clock seconds. */
export type StatsRow = readonly [
  id: number,
  name: string | null,
  statusId: number | null,
  createdAt: number | null,
  begunAt: number | null,
  completedAt: number | null,
  endedByAtomctl: number,
  userId: number | null,
  message: string | null,
];

/** Where each stands in a row. Destructuring is several times slower for thousands of rows. */
const AT = {
  id: 0,
  name: 1,
  statusId: 2,
  createdAt: 3,
  begunAt: 4,
  completedAt: 5,
  endedByAtomctl: 6,
  userId: 7,
  message: 8,
} as const;

interface NameTally {
  counts: StatusCounts;
  waits: Durations;
  runs: Durations;
  durations: Durations;
  /** Start of the oldest running job; null if none runs. */
  oldestRunning: number | null;
}

/** Adds up jobs one by one. */
export class Tally {
  readonly #now: Date;
  readonly #clock: DayClock;
  readonly #names = new Map<string, NameTally>();
  readonly #days = new Map<number, StatusCounts>();
  readonly #users = new Map<number | null, StatusCounts>();
  readonly #reasons = new FailureReasons();

  constructor({time, now}: JobClock) {
    this.#now = now;
    this.#clock = new DayClock(time);
  }

  get userIds(): number[] {
    return [...this.#users.keys()].filter((id) => id !== null);
  }

  add(row: StatsRow): void {
    const status = statusFromTermId(row[AT.statusId]);
    const startedAt = row[AT.createdAt];
    const name = entry(this.#names, row[AT.name] ?? '', newName);
    name.counts[status]++;
    entry(this.#users, row[AT.userId], noJobs)[status]++;
    if (status === 'error') this.#reasons.add(row[AT.message], row[AT.id]);
    if (startedAt === null) return;
    entry(this.#days, dayOf(startedAt), noJobs)[status]++;
    if (status === 'running') name.oldestRunning = Math.min(name.oldestRunning ?? startedAt, startedAt);
    this.#addTimes(name, startedAt, row);
  }

  #addTimes(name: NameTally, startedAt: number, row: StatsRow): void {
    const start = this.#clock.toEpochSeconds(startedAt);
    const begin = this.#epochSeconds(row[AT.begunAt]);
    if (begin !== null) addTo(name.waits, begin - start);
    if (!STATUSES[statusFromTermId(row[AT.statusId])].finished || row[AT.endedByAtomctl] === 1) return;
    const end = this.#epochSeconds(row[AT.completedAt]);
    if (end === null) return;
    addTo(name.durations, end - start);
    if (begin !== null) addTo(name.runs, end - begin);
  }

  #epochSeconds(wallSeconds: number | null): number | null {
    return wallSeconds === null ? null : this.#clock.toEpochSeconds(wallSeconds);
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
      byName: names.sort(byTotal(({name}) => name)),
      days: [...this.#days]
        .sort(([one], [other]) => one - other)
        .map(([day, ofDay]) => ({day: dayText(day), counts: ofDay})),
      users: this.#userStats(usernames).sort(byTotal(({user}) => user ?? '')),
      failureReasons: this.#reasons.list(),
    };
  }

  #nameStats(name: string, {counts, waits, runs, durations, oldestRunning}: NameTally): NameStats {
    const ended = counts.completed + counts.error;
    return {
      name,
      total: sum(counts),
      counts,
      failedShare: ended === 0 ? null : counts.error / ended,
      waitSeconds: waits.summary(),
      runSeconds: runs.summary(),
      durationSeconds: durations.summary(),
      oldestRunningSeconds: oldestRunning === null ? null : this.#age(oldestRunning),
    };
  }

  #age(startedAt: number): number {
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
  return {
    counts: noJobs(),
    waits: new Durations(),
    runs: new Durations(),
    durations: new Durations(),
    oldestRunning: null,
  };
}

/** Below zero the timezone is wrong, or a clock was changed. */
function addTo(durations: Durations, seconds: number): void {
  if (seconds >= 0) durations.add(seconds);
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function sum(counts: StatusCounts): number {
  return JOB_STATUSES.reduce((total, status) => total + counts[status], 0);
}

/** The larger total first; equal ones by their text. */
function byTotal<Row extends {total: number}>(text: (row: Row) => string) {
  return (one: Row, other: Row) => other.total - one.total || (text(one) < text(other) ? -1 : 1);
}
