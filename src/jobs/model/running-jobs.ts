import type {SiteTime} from '../../atom/site-time.ts';
import type {Queryable} from '../../mysql/database.ts';
import type {Backlog} from '../../queue/verdict.ts';
import {type JobFilter, jobCondition, objectJoin} from './filter.ts';
import {liesInFuture} from './future-start.ts';
import {ERROR_NOTE_TYPE_ID, HAS_ENDED, STATUSES} from './job.ts';
import {isCutAt, ownParameters} from './log.ts';
import {bytesBefore, LOG, LOGGED_PARAMETERS, lineTime, ownLine} from './log-sql.ts';

/** A row that says Running, with what its log tells. Times are the site's wall clock. */
export interface RunningRow {
  id: number;
  name: string;
  objectId: number | null;
  startedAt: string | null;
  /** The JSON after `Parameters: `; null before the job first starts, before AtoM 2.7, and if it is another job's. */
  parameters: string | null;
  /**
   * The times of the first and of the last `Job started.`; null before the job first starts. A cut log lacks the
   * last, and a log that is not empty but has no such line, as after a change of the name, lacks both.
   */
  begun: {first: string | null; last: string | null} | null;
  /** How many start lines the log has. */
  starts: number;
  /** After its last `Job started.` the log has `Job finished.`; false if the log is cut, so that a later start is missing. */
  finished: boolean;
  /** The time of that line; null if it has not finished. */
  finishedAt: string | null;
  /** After its last `Job started.` the log has an error line, or the job finished and has an error note. */
  failed: boolean;
  /** Bytes of the log. */
  logLength: number;
  /** The time of the last dated line; null without one, or if the log is cut, so that it is missing. */
  lastActivity: string | null;
}

const STARTED = ownLine('Job started.');
const FINISHED = ownLine('Job finished.');
/** The log since its last start; the whole log if it has none. */
const LATEST_RUN = `SUBSTRING_INDEX(${LOG}, ${STARTED}, -1)`;
/** In the parameters of an import. */
const UPLOAD = `'"tmp_name"'`;
/** Any line of the row's own. */
const OWN = ownLine('');
/** Where the last of a text begins in the log. */
const lastOf = (text: string) =>
  `(LENGTH(job.output) - LENGTH(SUBSTRING_INDEX(${LOG}, ${text}, -1)) - LENGTH(${text}) + 1)`;

interface StoredRow {
  id: number;
  name: string | null;
  object_id: number | null;
  created_at: string | null;
  parameters: string | null;
  begun: number | null;
  starts: number | string | null;
  first_head: string | null;
  last_head: string | null;
  finished_head: string | null;
  failed: number | null;
  noted: number | null;
  newest_head: string | null;
  characters: number | null;
  bytes: number | null;
}

/**
 * The matching rows with status Running, oldest first, in one query. Of each log only a few short parts are sent. A
 * job that Gearman handed out again logs the same parameters again; the first are taken.
 */
export async function runningRows(options: {database: Queryable; filter: JobFilter}): Promise<RunningRow[]> {
  const condition = jobCondition(options.filter);
  const rows = await options.database.query<StoredRow>(
    `SELECT job.id, job.name, job.object_id, object.created_at,
            ${LOGGED_PARAMETERS} AS parameters,
            LOCATE(${STARTED}, ${LOG}) > 0 AS begun,
            (LENGTH(job.output) - LENGTH(REPLACE(${LOG}, ${STARTED}, ''))) DIV LENGTH(${STARTED}) AS starts,
            ${bytesBefore(LOG, `LOCATE(${STARTED}, ${LOG})`)} AS first_head,
            ${bytesBefore(LOG, lastOf(STARTED))} AS last_head,
            IF(LOCATE(${FINISHED}, ${LATEST_RUN}) > 0, ${bytesBefore(LOG, lastOf(FINISHED))}, NULL) AS finished_head,
            LOCATE(CAST('\n[err] [' AS BINARY), ${LATEST_RUN}) > 0 AS failed,
            IF(LOCATE(${FINISHED}, ${LATEST_RUN}) > 0,
               EXISTS (SELECT 1 FROM note WHERE note.object_id = job.id AND note.type_id = ${ERROR_NOTE_TYPE_ID}), 0) AS noted,
            IF(LOCATE(${OWN}, ${LOG}) > 0, ${bytesBefore(LOG, lastOf(OWN))}, NULL) AS newest_head,
            CHAR_LENGTH(job.output) AS characters, LENGTH(job.output) AS bytes
     FROM job ${objectJoin(condition)}
     WHERE ${condition.sql} AND job.status_id = ?
     ORDER BY job.id`,
    [...condition.values, STATUSES.running.termId],
  );
  return rows.map(toRow);
}

function toRow({
  id,
  name,
  object_id: objectId,
  created_at: startedAt,
  parameters,
  ...row
}: StoredRow): RunningRow {
  const [characters, bytes] = [row.characters ?? 0, row.bytes ?? 0];
  const cut = isCutAt(characters, bytes);
  const first = lineTime(row.first_head);
  const lastStart = lineTime(row.last_head);
  // A start that is older than the first was quoted in a message, and so is whatever seems to follow it.
  const last = first !== null && lastStart !== null && lastStart >= first ? lastStart : null;
  const newest = lineTime(row.newest_head);
  const finishedAt = cut || last === null ? null : lineTime(row.finished_head);
  return {
    id,
    name: name ?? '',
    objectId,
    startedAt,
    parameters: ownParameters(parameters, id),
    begun:
      bytes === 0 ? null : row.begun === 1 ? {first, last: cut ? null : last} : {first: null, last: null},
    starts: Number(row.starts ?? 0),
    finished: finishedAt !== null,
    finishedAt,
    failed: row.begun === 1 && (row.failed === 1 || row.noted === 1),
    logLength: bytes,
    lastActivity: cut || (last !== null && newest !== null && newest < last) ? null : newest,
  };
}

/** Ended rows that are looked at; a worker tells Gearman of the end of a job within moments. */
const NEWEST_ENDED = 200;
/** Seconds. Between the last line of a log and the word to Gearman are milliseconds. */
const JUST_ENDED = 60;
/** A wrong zone is off by quarters of an hour, less than 26 hours in all. */
const QUARTER = 900;
const MOST_ZONE_ERROR = 93_600;

/** Rows of one name that have ended. */
export interface EndedName {
  name: string;
  /** When the last of them ended, the site's wall clock; null if one has no time. */
  latest: string | null;
  /**
   * Of one of them the latest run did not log `Job finished.`, as also if the row was marked by hand and the worker goes
   * on, or it ended within the last minute.
   */
  atWork: boolean;
  /** The parameters that imports among them logged, as JSON. */
  imports: string[];
}

/** The ids of the newest rows that do not say Running, as `newest`; its parameter is the term of Running. */
const newestEnded = (limit: number) =>
  `(SELECT id FROM job WHERE ${HAS_ENDED} ORDER BY id DESC LIMIT ${limit}) AS newest`;

/** The names of the newest ended rows that a worker began. */
export async function endedNames(
  database: Queryable,
  {time, now}: {time: SiteTime; now: Date},
): Promise<EndedName[]> {
  const age = 'TIMESTAMPDIFF(SECOND, job.completed_at, ?)';
  const wall = time.toWall(now);
  const rows = await database.query<{
    name: string;
    ended: string | null;
    atWork: number | null;
    parameters: string | null;
  }>(
    `SELECT COALESCE(job.name, '') AS name, job.completed_at AS ended,
            LOCATE(${FINISHED}, ${LATEST_RUN}) = 0
              OR (ABS(${age}) <= ${MOST_ZONE_ERROR}
                  AND MOD(${age} + ${MOST_ZONE_ERROR}, ${QUARTER}) <= ${JUST_ENDED}) AS atWork,
            IF(LOCATE(${UPLOAD}, job.output) > 0, ${LOGGED_PARAMETERS}, NULL) AS parameters
     FROM ${newestEnded(NEWEST_ENDED)}
     JOIN job ON job.id = newest.id
     WHERE LOCATE(${STARTED}, ${LOG}) > 0`,
    [wall, wall, STATUSES.running.termId],
  );
  const names = new Map<string, EndedName>();
  for (const {name, ended, atWork, parameters} of rows) {
    const {latest, ...known} = names.get(name) ?? {latest: ended, atWork: false, imports: []};
    names.set(name, {
      name,
      latest: latest === null || ended === null ? null : [latest, ended].sort()[1]!,
      atWork: known.atWork || atWork === 1,
      imports: parameters === null ? known.imports : [...known.imports, parameters],
    });
  }
  return [...names.values()];
}

/** A row that does not say Running, with the parameters that it logged. */
export interface EndedRow {
  id: number;
  name: string;
  parameters: string;
}

/** Those of these rows that do not say Running and logged parameters. */
export async function endedRows(database: Queryable, ids: readonly number[]): Promise<EndedRow[]> {
  const rows = await database.query<EndedRow>(
    `SELECT * FROM (SELECT job.id, COALESCE(job.name, '') AS name, ${LOGGED_PARAMETERS} AS parameters
     FROM job WHERE job.id IN (?) AND ${HAS_ENDED}) AS ended
     WHERE parameters IS NOT NULL ORDER BY id`,
    [ids, STATUSES.running.termId],
  );
  return rows.filter(loggedItsOwn);
}

function loggedItsOwn({id, parameters}: EndedRow): boolean {
  return ownParameters(parameters, id) !== null;
}

/** Those of these rows that do not say Running and whose last run logged that it finished. */
export async function finishedEnded(database: Queryable, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const rows = await database.query<{id: number}>(
    `SELECT job.id FROM job
     WHERE job.id IN (?) AND ${HAS_ENDED}
       AND LOCATE(${FINISHED}, ${LATEST_RUN}) > 0`,
    [ids, STATUSES.running.termId],
  );
  return new Set(rows.map(({id}) => id));
}

/** The newest rows that do not say Running, those of them that logged parameters; `limit` are read. */
export async function newestEndedRows(database: Queryable, limit: number): Promise<EndedRow[]> {
  const rows = await database.query<EndedRow>(
    `SELECT * FROM (SELECT job.id, COALESCE(job.name, '') AS name, ${LOGGED_PARAMETERS} AS parameters
     FROM ${newestEnded(limit)}
     JOIN job ON job.id = newest.id) AS ended
     WHERE parameters IS NOT NULL ORDER BY id DESC`,
    [STATUSES.running.termId],
  );
  return rows.filter(loggedItsOwn);
}

/**
 * Counts the running rows and takes the age of the oldest, in one query over the index on `job.status_id`.
 * @throws AtomctlError where the database fails
 */
export async function readBacklog(
  database: Queryable,
  {time, now}: {time: SiteTime; now: Date},
): Promise<Backlog> {
  const [row] = await database.query<{running: number | string; oldest: string | null}>(
    `SELECT COUNT(*) AS running, MIN(object.created_at) AS oldest
     FROM job JOIN object ON object.id = job.id
     WHERE job.status_id = ?`,
    [STATUSES.running.termId],
  );
  const oldest = row?.oldest ?? null;
  const oldestInFuture = oldest !== null && liesInFuture(time.toEarliestMs(oldest), now.getTime());
  const age = oldest === null ? null : Math.floor((now.getTime() - time.toEpochMs(oldest)) / 1000);
  const oldestSeconds = age === null || oldestInFuture ? null : Math.max(0, age);
  return {running: Number(row?.running ?? 0), oldestSeconds, oldestInFuture};
}

/** Bytes of the log of each row that says Running, by id. */
export async function runningLogLengths(database: Queryable): Promise<Map<number, number>> {
  const rows = await database.query<{id: number; bytes: number}>(
    'SELECT id, COALESCE(LENGTH(output), 0) AS bytes FROM job WHERE status_id = ?',
    [STATUSES.running.termId],
  );
  return new Map(rows.map(({id, bytes}) => [id, bytes]));
}
