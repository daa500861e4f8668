import {AtomctlError, type ErrorCode} from '../../errors.ts';
import type {Database} from '../../mysql/database.ts';
import {listLiveJobs} from '../live/list-live.ts';
import type {LiveReport, LiveSources} from '../live/live-state.ts';
import type {Job} from '../model/job.ts';
import type {JobClock} from '../model/load-jobs.ts';

export interface PollOptions {
  intervalSeconds: number;
  /** null for no bound. */
  maxSeconds: number | null;
  now: () => Date;
  /** Waits for milliseconds, or until the signal is aborted. */
  pause: (milliseconds: number) => Promise<void>;
  signal: AbortSignal;
  /** Closes the connections, so that the next poll opens new ones. */
  reopen: () => Promise<void>;
}

/** A database that restarts has this long to come back. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 1000;

const AWAY: ReadonlySet<ErrorCode> = new Set(['DATABASE_UNREACHABLE', 'DATABASE_LOST', 'DATABASE_TIMEOUT']);

/**
 * Yields what `fetchOnce` returns, at each interval and once more when the time is over; ends early if the signal is
 * aborted. If the database goes away after the first time, it is tried again for a minute.
 * @throws AtomctlError what `fetchOnce` throws the first time, or for a minute
 */
export async function* poll<T>(fetchOnce: () => Promise<T>, options: PollOptions): AsyncGenerator<T> {
  const {now, pause, signal, reopen} = options;
  const clock = () => now().getTime();
  const end = options.maxSeconds === null ? Number.POSITIVE_INFINITY : clock() + options.maxSeconds * 1000;
  let seen = await fetchOnce();
  let awaySince: number | null = null;
  for (;;) {
    if (awaySince === null) yield seen;
    const left = end - clock();
    if (left <= 0 || signal.aborted) return;
    await pause(Math.min(left, awaySince === null ? options.intervalSeconds * 1000 : RETRY_MS));
    if (signal.aborted) return;
    try {
      seen = await fetchOnce();
      awaySince = null;
    } catch (error) {
      awaySince ??= clock();
      if (!isAway(error) || clock() - awaySince >= PATIENCE_MS) throw error;
      await reopen();
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof AtomctlError && AWAY.has(error.code);
}

export interface FetchStatesOptions extends JobClock {
  database: Database;
  ids: readonly number[];
  /** Whether to ask for the live state of those that run. */
  live: boolean;
  /** Waits for milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
}

export interface JobStates {
  /** By id; ids without a row are left out. */
  jobs: Job[];
  /** null if no server was asked. */
  report: LiveReport | null;
}

const SECOND_POLL_MS = 1000;

/** These jobs as they are now. A job is reported as lost only if a second poll, a second later, finds it lost too. */
export async function fetchStates(
  options: FetchStatesOptions,
  sources: () => Promise<LiveSources>,
): Promise<JobStates> {
  const first = await fetchLive(options, sources);
  const suspects = new Set(first.jobs.filter(isLost).map(({id}) => id));
  if (suspects.size === 0) return first;
  await options.pause(SECOND_POLL_MS);
  const {jobs, report} = await fetchLive(options, sources);
  const confirmed = jobs.map((job) =>
    isLost(job) && !suspects.has(job.id) ? {...job, live: 'uncertain' as const} : job,
  );
  return {jobs: confirmed, report};
}

function fetchLive(
  {ids, ...options}: FetchStatesOptions,
  sources: () => Promise<LiveSources>,
): Promise<JobStates> {
  const sort = {key: 'id', descending: false} as const;
  return listLiveJobs(
    {...options, begin: true, filter: {ids: [...ids]}, sort, limit: null, offset: 0},
    sources,
  );
}

/** True if no Gearman server knows the job any more. */
export function isLost({live}: Job): boolean {
  return live === 'lost';
}
