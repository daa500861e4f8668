import type {SiteTime} from '../../atom/site-time.ts';
import type {Queryable} from '../../mysql/database.ts';
import type {Backlog} from '../../queue/verdict.ts';
import {type JobFilter, jobCondition, objectJoin} from './filter.ts';
import {STATUSES} from './job.ts';
import {isCutAt} from './log.ts';

/** What live-state.ts needs of a row that the database calls running. */
export interface RunningRow {
  id: number;
  name: string;
  /** Wall-clock time in the site's zone. */
  startedAt: string | null;
  /** The log line's end from `Parameters: ` on; null before the job first starts. See parametersTextOf. */
  parametersLine: string | null;
  /** Its log has any text: a worker began the job. */
  begun: boolean;
  /** Wall-clock time of the log's last dated line; null if there is none, or the log is cut, so that it is missing. */
  lastActivity: string | null;
}

const LABEL = 'Parameters: ';
/** After the quote that ends the job's name, so that a name which holds the label does not mislead. */
const IN_LINE = `": ${LABEL}`;

/** `info] [2026-03-04 13:05:01] Job …`: the beginning of a log's last line, without its first bracket. */
const LAST_LINE = /^\w+\] \[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] /;

/**
 * The matching rows with status running, oldest first, in one query: of each log only the line with the
 * parameters and the beginning of the last line cross the wire. Where a job was handed out again all such lines are equal; the first is taken.
 */
export async function runningRows(options: {database: Queryable; filter: JobFilter}): Promise<RunningRow[]> {
  const condition = jobCondition(options.filter);
  const rows = await options.database.query<{
    id: number;
    name: string | null;
    created_at: string | null;
    line: string | null;
    last_line: string | null;
    characters: number | null;
    bytes: number | null;
  }>(
    `SELECT job.id, job.name, object.created_at,
            IF(LOCATE(?, job.output) = 0, NULL,
               SUBSTRING_INDEX(SUBSTRING(job.output, LOCATE(?, job.output) + ?), CHAR(10), 1)) AS line,
            LEFT(SUBSTRING_INDEX(CONCAT(CHAR(10), job.output), CONCAT(CHAR(10), '['), -1), 40) AS last_line,
            CHAR_LENGTH(job.output) AS characters, LENGTH(job.output) AS bytes
     FROM job ${objectJoin(condition)}
     WHERE ${condition.sql} AND job.status_id = ?
     ORDER BY job.id`,
    [IN_LINE, IN_LINE, IN_LINE.length - LABEL.length, ...condition.values, STATUSES.running.termId],
  );
  return rows.map(({id, name, created_at: startedAt, line, last_line: lastLine, ...size}) => {
    const [characters, bytes] = [size.characters ?? 0, size.bytes ?? 0];
    return {
      id,
      name: name ?? '',
      startedAt,
      parametersLine: line,
      begun: bytes > 0,
      lastActivity: isCutAt(characters, bytes) ? null : (LAST_LINE.exec(lastLine ?? '')?.[1] ?? null),
    };
  });
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
  const age = oldest === null ? null : Math.floor((now.getTime() - time.toEpochMs(oldest)) / 1000);
  return {running: Number(row?.running ?? 0), oldestSeconds: age && Math.max(0, age)};
}

/** More than anybody chooses from. */
const MOST = 100;

/** Id and name of the running jobs, the newest first, a hundred at most, in one query over the index on the status. */
export async function runningNames(database: Queryable): Promise<{id: number; name: string}[]> {
  return database.query(
    `SELECT job.id, COALESCE(job.name, '') AS name FROM job WHERE job.status_id = ? ORDER BY job.id DESC LIMIT ${MOST}`,
    [STATUSES.running.termId],
  );
}
