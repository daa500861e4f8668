import type {Queryable} from '../mysql/database.ts';
import type {JobFilter} from './filter.ts';
import {isCutAt} from './log.ts';
import {STATUSES} from './status.ts';
import {jobCondition, objectJoin} from './where.ts';

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
