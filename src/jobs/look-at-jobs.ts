import type {Database} from '../mysql/database.ts';
import type {Job} from './job.ts';
import {listLiveJobs} from './live-list.ts';
import type {LiveReport, LiveSources} from './live-state.ts';
import type {JobClock} from './load-jobs.ts';

export interface LookAtJobsOptions extends JobClock {
  database: Database;
  ids: readonly number[];
  /** Whether to ask for the live state of those that run. */
  live: boolean;
  /** Waits for milliseconds. */
  pause: (milliseconds: number) => Promise<void>;
}

export interface JobsLook {
  /** By id; ids without a row are left out. */
  jobs: Job[];
  /** null where no server was asked. */
  report: LiveReport | null;
}

const SECOND_LOOK_MS = 1000;

/** These jobs as they are now. One is called lost only where a second look, a moment later, finds it lost too. */
export async function lookAtJobs(
  options: LookAtJobsOptions,
  sources: () => Promise<LiveSources>,
): Promise<JobsLook> {
  const first = await look(options, sources);
  const suspects = new Set(first.jobs.filter(isLost).map(({id}) => id));
  if (suspects.size === 0) return first;
  await options.pause(SECOND_LOOK_MS);
  const {jobs, report} = await look(options, sources);
  const believed = jobs.map((job) =>
    isLost(job) && !suspects.has(job.id) ? {...job, live: 'uncertain' as const} : job,
  );
  return {jobs: believed, report};
}

function look({ids, ...options}: LookAtJobsOptions, sources: () => Promise<LiveSources>): Promise<JobsLook> {
  const sort = {key: 'id', descending: false} as const;
  return listLiveJobs({...options, filter: {ids: [...ids]}, sort, limit: null, offset: 0}, sources);
}

/** True where no Gearman server knows the job any more. */
export function isLost({live}: Job): boolean {
  return live === 'lost';
}
