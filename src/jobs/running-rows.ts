import type {Queryable} from '../mysql/database.ts';
import type {JobFilter} from './filter.ts';
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
}

const LABEL = 'Parameters: ';
/** After the quote that ends the job's name, so that a name which holds the label does not mislead. */
const IN_LINE = `": ${LABEL}`;

/**
 * The matching rows with status running, oldest first, in one query: of each log only the line with the
 * parameters crosses the wire. Where a job was handed out again all such lines are equal; the first is taken.
 */
export async function runningRows(options: {database: Queryable; filter: JobFilter}): Promise<RunningRow[]> {
  const condition = jobCondition(options.filter);
  const rows = await options.database.query<{
    id: number;
    name: string | null;
    created_at: string | null;
    line: string | null;
  }>(
    `SELECT job.id, job.name, object.created_at,
            IF(LOCATE(?, job.output) = 0, NULL,
               SUBSTRING_INDEX(SUBSTRING(job.output, LOCATE(?, job.output) + ?), CHAR(10), 1)) AS line
     FROM job ${objectJoin(condition)}
     WHERE ${condition.sql} AND job.status_id = ?
     ORDER BY job.id`,
    [IN_LINE, IN_LINE, IN_LINE.length - LABEL.length, ...condition.values, STATUSES.running.termId],
  );
  return rows.map(({id, name, created_at: startedAt, line}) => ({
    id,
    name: name ?? '',
    startedAt,
    parametersLine: line,
  }));
}
