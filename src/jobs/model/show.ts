import {AtomctlError} from '../../errors.ts';
import type {Database, Queryable} from '../../mysql/database.ts';
import type {JobDetails} from './job.ts';
import {type JobClock, loadJobs} from './load-jobs.ts';
import {lastActivity, parametersOf} from './log.ts';

/**
 * One job with its whole log and what the log shows.
 * @throws AtomctlError NO_SUCH_JOB
 */
export async function showJob(options: JobClock & {database: Database; id: number}): Promise<JobDetails> {
  const {database, id, time} = options;
  const [job] = await loadJobs({...options, ids: [id], begin: true});
  if (!job) throw noSuchJob(id);
  const log = await readLog(database, id);
  const activity = lastActivity(log);
  return {
    ...job,
    log,
    lastActivityAt: activity && time.toIso(activity),
    parameters: parametersOf(log, job),
  };
}

/** `job.output`, whole; empty if the worker has written nothing yet. */
async function readLog(database: Queryable, id: number): Promise<string> {
  const [row] = await database.query<{output: string | null}>('SELECT job.output FROM job WHERE job.id = ?', [
    id,
  ]);
  return row?.output ?? '';
}

/** The error for an id without a row in `job`. */
export function noSuchJob(id: number): AtomctlError {
  return new AtomctlError('NO_SUCH_JOB', `There is no job ${id}.`, {
    hint: 'To see the ids: atomctl jobs:list',
  });
}

/** The error if none of the ids has a row. */
export function noSuchJobs(ids: readonly number[]): AtomctlError {
  if (ids.length === 1) return noSuchJob(ids[0]!);
  return new AtomctlError('NO_SUCH_JOB', 'There is no such job.', {
    hint: 'To see the ids: atomctl jobs:list',
  });
}
