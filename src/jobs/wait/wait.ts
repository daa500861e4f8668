import {AtomctlError, EXIT} from '../../errors.ts';
import type {Queryable} from '../../mysql/database.ts';
import {type Job, STATUSES} from '../model/job.ts';
import {noSuchJob} from '../model/show.ts';
import {isLost, type PollOptions, poll} from './poll.ts';

export const MILESTONES = ['finished', 'started'] as const;
export type Milestone = (typeof MILESTONES)[number];

export interface WaitOptions extends PollOptions {
  ids: readonly number[];
  until: Milestone;
  /** Reads the jobs that have a row, and the ids of those whose log shows a start (for `started` alone). */
  fetch: () => Promise<{jobs: Job[]; started: ReadonlySet<number>}>;
  /** Called after each poll. */
  onPoll: (waited: Waited) => void;
}

/** The jobs as of the last poll. */
export interface Waited {
  /** By id. */
  jobs: Job[];
  /** Ids whose row was deleted during the wait. */
  deleted: number[];
  timeOver: boolean;
}

/**
 * Polls the jobs until each has ended (or started), one of them is lost, or the time is over.
 * @throws AtomctlError NO_SUCH_JOB if the first poll misses one; INTERRUPTED
 */
export async function waitForJobs(options: WaitOptions): Promise<Waited> {
  let waited: Waited | null = null;
  for await (const {jobs, started} of poll(options.fetch, options)) {
    const present = new Set(jobs.map(({id}) => id));
    const deleted = options.ids.filter((id) => !present.has(id));
    if (waited === null) refuseUnknown(deleted);
    waited = {jobs, deleted, timeOver: false};
    options.onPoll(waited);
    const done = (job: Job) => isEnded(job) || (options.until === 'started' && hasStarted(job, started));
    if (jobs.every(done) || jobs.some(isLost)) return waited;
  }
  if (options.signal.aborted) {
    throw new AtomctlError('INTERRUPTED', 'Interrupted while waiting.', {hint: 'The jobs continue.'});
  }
  return {...waited!, timeOver: true};
}

/** 0 if every job completed (or started), 1 if one failed, is lost or was deleted, 124 if the time is over. */
export function waitExitStatus({jobs, deleted, timeOver}: Waited): number {
  if (timeOver) return EXIT.timeOver;
  return deleted.length > 0 || jobs.some((job) => isLost(job) || isFailed(job)) ? EXIT.failed : EXIT.ok;
}

/** The ids among these whose log shows that a worker began the job. */
export async function startedIds(database: Queryable, ids: readonly number[]): Promise<Set<number>> {
  const rows = await database.query<{id: number}>(
    'SELECT id FROM job WHERE id IN (?) AND LOCATE(?, output) > 0',
    [ids, '": Job started.'],
  );
  return new Set(rows.map(({id}) => id));
}

/** True if the row says that the job has ended, however it ended. */
export function isEnded({status}: Job): boolean {
  return STATUSES[status].finished;
}

/** True if the job has ended and not completed. */
function isFailed(job: Job): boolean {
  return isEnded(job) && job.status !== 'completed';
}

function hasStarted({id, live}: Job, started: ReadonlySet<number>): boolean {
  return live === 'executing' || started.has(id);
}

function refuseUnknown(ids: readonly number[]): void {
  if (ids.length === 1) throw noSuchJob(ids[0]!);
  if (ids.length > 1) {
    throw new AtomctlError('NO_SUCH_JOB', `There are no jobs ${ids.join(', ')}.`, {
      hint: 'To see the ids: atomctl jobs:list',
    });
  }
}
