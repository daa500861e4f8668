import {STATUSES} from '../../jobs/model/job.ts';
import {hasErrors, isCut, isFinished, lastActivity, startCount} from '../../jobs/model/log.ts';
import type {Database} from '../../mysql/database.ts';

/** Logs are up to 64 KiB each, so of the finished jobs only the newest are read. */
export const NEWEST = 500;

/** What a job's log shows, without the log. */
export interface JobLog {
  id: number;
  name: string;
  /** How often a worker began the job. */
  starts: number;
  /** Its last run wrote `Job finished.`. */
  finished: boolean;
  /** It has reached AtoM's cap, so that its newest lines are missing. */
  cut: boolean;
  /** AtoM's status of the job is Completed. */
  completed: boolean;
  /** Its wall-clock end in the site's zone; null if it has none. */
  endedAt: string | null;
  /** Its last run logged an error line or an error of the database. */
  errors: boolean;
  /** The last line's wall-clock time in the site's zone; null if there is none or the log is cut. */
  lastActivity: string | null;
}

/** The jobs to read, as FROM and WHERE. The ids come first, so that no log is copied to sort by id. */
const SOURCES = [
  `job WHERE job.status_id = ${STATUSES.running.termId}`,
  `(SELECT id FROM job ORDER BY id DESC LIMIT ${NEWEST}) AS newest JOIN job ON job.id = newest.id WHERE TRUE`,
];

/** Reads the logs of the running jobs and of the newest others, one at a time: memory does not grow with them. */
export async function readJobLogs(database: Database): Promise<Map<number, JobLog>> {
  const logs = new Map<number, JobLog>();
  for (const source of SOURCES) {
    const rows = database.stream(
      `SELECT job.id, job.name, job.status_id, job.completed_at, job.output FROM ${source} AND job.output IS NOT NULL`,
    );
    for await (const [id, name, status, ended, output] of rows) {
      const completed = Number(status) === STATUSES.completed.termId;
      const endedAt = ended === null ? null : String(ended);
      const row = {id: Number(id), name: String(name ?? ''), completed, endedAt};
      logs.set(row.id, {...row, ...readLog(String(output))});
    }
  }
  return logs;
}

function readLog(log: string): Omit<JobLog, 'id' | 'name' | 'completed' | 'endedAt'> {
  return {
    starts: startCount(log),
    finished: isFinished(log),
    cut: isCut(log),
    errors: hasErrors(log),
    lastActivity: lastActivity(log),
  };
}
