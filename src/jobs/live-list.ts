import type {Database} from '../mysql/database.ts';
import type {Job} from './job.ts';
import {type JobList, type JobQuery, listJobs} from './list.ts';
import {settleLiveFilter} from './live-filter.ts';
import {type LiveOptions, type LiveReport, liveStates} from './live-state.ts';
import {loadJobs} from './load-jobs.ts';

export interface LiveJobList extends JobList {
  /** null where the live state was not asked for, or no job of the page is running. */
  report: LiveReport | null;
}

/**
 * One page of the matching jobs with the live state of those that are running. A filter by live state asks for it
 * first; otherwise it is asked for only where the page has a running job.
 */
export async function listLiveJobs(
  query: JobQuery & {database: Database; live: boolean},
  sources: () => Promise<Pick<LiveOptions, 'servers' | 'prefix' | 'now' | 'probe'>>,
): Promise<LiveJobList> {
  const askLive = async () => liveStates({database: query.database, time: query.time, ...(await sources())});
  let report: LiveReport | null = null;
  const filter = await settleLiveFilter(query.filter, async () => (report = await askLive()));
  const list = await listJobs({...query, filter});
  if (!query.live || !list.jobs.some(isRunning)) return {...list, report};
  report ??= await askLive();
  return {...list, jobs: withStates(await reloadEnded(list.jobs, report, query), report), report};
}

function isRunning({status}: Job): boolean {
  return status === 'running';
}

/** Jobs of the page that ended while the servers were asked are read again: their row says how they ended. */
async function reloadEnded(
  jobs: readonly Job[],
  {states}: LiveReport,
  query: JobQuery & {database: Database},
): Promise<Job[]> {
  const ids = jobs.filter((job) => isRunning(job) && !states.has(job.id)).map(({id}) => id);
  const again = new Map((await loadJobs({...query, ids})).map((job) => [job.id, job]));
  return jobs.map((job) => again.get(job.id) ?? job);
}

/** The jobs, each running one with its live state; one that cannot be told is uncertain. */
function withStates(jobs: readonly Job[], {states}: LiveReport): Job[] {
  return jobs.map((job) => (isRunning(job) ? {...job, live: states.get(job.id) ?? 'uncertain'} : job));
}
