import {inSourceCulture} from '../../mysql/collation.ts';
import type {Database, SqlValue} from '../../mysql/database.ts';
import {noJobs} from '../model/count.ts';
import {type JobFilter, jobCondition, objectJoin} from '../model/filter.ts';
import {JOB_STATUSES, STATUSES, type StatusCounts, statusFromTermId} from '../model/job.ts';
import type {JobClock} from '../model/load-jobs.ts';
import {DayClock, dayOf, dayText, parseWall} from './day-clock.ts';
import {type DurationSummary, Durations} from './durations.ts';
import {type FailureReason, FailureReasons} from './failure-reasons.ts';
import {JobNotes} from './job-notes.ts';

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
 * Figures of all matching jobs, from a query that streams the few columns that they need: memory grows with the names, days, users
 * and distinct durations, not with the jobs. A long history is read in parts, two at a time: the server needs more time for a row
 * than we do, and uses one processor for each connection. A job that changes meanwhile is counted once, as it was or as it is.
 * @throws AtomctlError for the database
 */
export async function jobStats(options: StatsOptions): Promise<JobStats> {
  const {database, filter} = options;
  const tally = new Tally(options);
  const ranges = await idRanges(database);
  const left = ranges.values();
  const readParts = async (connection: Database) => {
    for (const range of left) await readPart(connection, statsStatement(filter, range), tally);
  };
  const second = ranges.length === 1 ? null : await database.beside().catch(() => null);
  try {
    await Promise.all([database, ...(second === null ? [] : [second])].map(readParts));
  } finally {
    await second?.close();
  }
  return tally.stats(await usernames(database, tally.userIds));
}

/** The first and the last id of a part of the history; null: all of it. */
type IdRange = readonly [first: number, last: number] | null;

/** Below this span of ids a second connection costs more than it saves. Other objects of AtoM have ids, too. */
const LONG_SPAN = 50_000;
/** Jobs are not spread evenly over the ids: with several parts for each connection both end at about the same time. */
const PARTS = 16;

async function idRanges(database: Database): Promise<IdRange[]> {
  const [row] = await database.query<{first: number | null; last: number | null}>(
    'SELECT MIN(id) AS first, MAX(id) AS last FROM job',
  );
  const [first, last] = [row?.first ?? 0, row?.last ?? 0];
  const size = Math.ceil((last - first + 1) / PARTS);
  if (last - first < LONG_SPAN) return [null];
  return Array.from({length: PARTS}, (_, part) => {
    const from = first + part * size;
    return [from, from + size - 1];
  });
}

async function readPart(
  database: Database,
  {sql, values}: {sql: string; values: SqlValue[]},
  tally: Tally,
): Promise<void> {
  let job: StatsRow | null = null;
  let notes = new JobNotes();
  const addJob = () => job !== null && tally.add(job, notes);
  await database.visit(sql, values, (values) => {
    const row = values as StatsRow;
    if (row[AT.id] !== job?.[AT.id]) {
      addJob();
      if (row[AT.noteId] !== null || !notes.isEmpty) notes = new JobNotes();
      job = row;
    }
    const noteId = row[AT.noteId];
    if (noteId !== null) notes.add(noteId, row[AT.noteType], row[AT.content] ?? '');
  });
  addJob();
}

/** What TO_SECONDS gives for the first second of 1970. */
const TO_SECONDS_1970 = 62_167_219_200;
/** A wall-clock time as a number, which costs less to send and to read than its text; NULL for a zero date. */
const wallSeconds = (sql: string) => `TO_SECONDS(${sql}) - ${TO_SECONDS_1970}`;

/** After the level of the first line, `[info] [`. As text: to convert it takes the server longer than us. */
const BEGUN = 'SUBSTRING(job.output, 9, 19)';

/**
 * The job whose notes are read: a failed one, which has its message there, and one that another than its worker may have ended, which
 * does not end within ten seconds of the last lines of its log, or was changed later, as by a mark that takes the time of its end from
 * there. To look for the notes of all jobs takes as long as all the rest.
 */
const NOTED = `CASE WHEN job.status_id = ${STATUSES.error.termId} THEN job.id
  WHEN job.completed_at IS NULL THEN NULL
  WHEN object.updated_at > job.completed_at + INTERVAL 10 SECOND THEN job.id
  WHEN LOCATE(CAST(LEFT(job.completed_at, 18) AS BINARY), RIGHT(CAST(job.output AS BINARY), 400)) > 0 THEN NULL
  ELSE job.id END`;

/** The statement for what is tallied, in whatever order costs the database least; a job's notes follow each other. */
export function statsStatement(filter: JobFilter, range: IdRange = null): {sql: string; values: SqlValue[]} {
  const condition = jobCondition(filter);
  return {
    sql: `SELECT job.id, job.name, job.status_id, ${wallSeconds('object.created_at')}, ${BEGUN},
                 ${wallSeconds('job.completed_at')}, job.user_id, note.id, note.type_id, LEFT(note_i18n.content, 300)
          FROM job ${objectJoin(condition)}
          LEFT JOIN note ON note.object_id = ${NOTED}
          LEFT JOIN note_i18n ON ${inSourceCulture('note')}
          WHERE ${condition.sql}${range === null ? '' : ' AND job.id BETWEEN ? AND ?'}`,
    values: [...condition.values, ...(range ?? [])],
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

/** A job as the statement of jobStats selects it, once for each of the notes that it reads; times are wall-clock seconds. */
export type StatsRow = readonly [
  id: number,
  name: string | null,
  statusId: number | null,
  createdAt: number | null,
  begunAt: string | null,
  completedAt: number | null,
  userId: number | null,
  noteId: number | null,
  noteType: number | null,
  content: string | null,
];

/** Where each stands in a row. Destructuring is several times slower for thousands of rows. */
const AT = {
  id: 0,
  name: 1,
  statusId: 2,
  createdAt: 3,
  begunAt: 4,
  completedAt: 5,
  userId: 6,
  noteId: 7,
  noteType: 8,
  content: 9,
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

  add(row: StatsRow, notes: JobNotes): void {
    const status = statusFromTermId(row[AT.statusId]);
    const startedAt = row[AT.createdAt];
    const name = entry(this.#names, row[AT.name] ?? '', newName);
    name.counts[status]++;
    entry(this.#users, row[AT.userId], noJobs)[status]++;
    if (status === 'error') this.#reasons.add(notes.message, row[AT.id]);
    if (startedAt === null) return;
    entry(this.#days, dayOf(startedAt), noJobs)[status]++;
    if (status === 'running') name.oldestRunning = Math.min(name.oldestRunning ?? startedAt, startedAt);
    this.#addTimes(name, startedAt, row, notes);
  }

  #addTimes(name: NameTally, startedAt: number, row: StatsRow, notes: JobNotes): void {
    const start = this.#clock.toEpochSeconds(startedAt);
    const begin = this.#epochSeconds(parseWall(row[AT.begunAt]));
    if (begin !== null) addTo(name.waits, begin - start);
    if (!STATUSES[statusFromTermId(row[AT.statusId])].finished || notes.sayEndedByAtomctl) return;
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
