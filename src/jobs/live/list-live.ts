import type {Database} from '../../mysql/database.ts';
import type {JobFilter} from '../model/filter.ts';
import type {Job, JobDetails} from '../model/job.ts';
import {type JobQuery, listJobs} from '../model/list.ts';
import {type JobClock, loadJobs} from '../model/load-jobs.ts';
import {showJob} from '../model/show.ts';
import type {LiveReport, LiveSources} from './live-state.ts';

export interface LiveJobs {
  jobs: Job[];
  /** What the page is a page of: the query's filter, a live state in it turned into the ids of the jobs in it. */
  filter: JobFilter;
  /** null where the live state was not asked for, or no job of the page is running. */
  report: LiveReport | null;
}

/**
 * One page of the matching jobs with the live state of those that are running. A filter by live state asks for it
 * first; otherwise it is asked for only where the page has a running job.
 */
export async function listLiveJobs(
  query: JobQuery & {database: Database; live: boolean},
  sources: () => Promise<LiveSources>,
): Promise<LiveJobs> {
  const askLive = () => askServers({database: query.database, time: query.time}, sources);
  let report: LiveReport | null = null;
  const filter = await settleLiveFilter(query.filter, async () => (report = await askLive()));
  const jobs = await listJobs({...query, filter});
  if (!query.live || !jobs.some(isRunning)) return {jobs, filter, report};
  report ??= await askLive();
  return {jobs: withStates(await reloadEnded(jobs, report, query), report), filter, report};
}

/** Most lists have no running job, so this is loaded late. */
async function askServers(
  {database, time}: Pick<JobClock, 'time'> & {database: Database},
  sources: () => Promise<LiveSources>,
): Promise<LiveReport> {
  const {liveStates} = await import('./live-state.ts');
  return liveStates({database, time, ...(await sources())});
}

function isRunning({status}: Job): boolean {
  return status === 'running';
}

/** Jobs of the page that ended while the servers were asked are read again: their row says how they ended. */
async function reloadEnded(
  jobs: readonly Job[],
  {verdicts}: LiveReport,
  query: JobQuery & {database: Database},
): Promise<Job[]> {
  const ids = jobs.filter((job) => isRunning(job) && !verdicts.has(job.id)).map(({id}) => id);
  const again = new Map((await loadJobs({...query, ids})).map((job) => [job.id, job]));
  return jobs.map((job) => again.get(job.id) ?? job);
}

/** The jobs, each running one with its live state. One that was deleted meanwhile, or retried, is uncertain. */
function withStates(jobs: readonly Job[], report: LiveReport): Job[] {
  return jobs.map((job) => (isRunning(job) ? {...job, ...liveFields(job.id, report)} : job));
}

function liveFields(id: number, {verdicts}: LiveReport): Pick<Job, 'live' | 'likely' | 'liveReason'> {
  const {state, likely, reason} = verdicts.get(id) ?? ROW_CHANGED;
  return {live: state, likely, liveReason: reason};
}

const ROW_CHANGED = {
  state: 'uncertain',
  likely: null,
  reason: 'Its row changed while atomctl asked the servers.',
} as const;

/**
 * The filter with `live` turned into what a database can answer: the ids of the running jobs in one of the wanted
 * states. A filter without `live` comes back as it is, and nothing is asked.
 */
export async function settleLiveFilter(
  filter: JobFilter,
  report: () => Promise<LiveReport>,
): Promise<JobFilter> {
  const {live: wanted, ...rest} = filter;
  if (wanted === undefined) return rest;
  const found = await report();
  const ids = [...found.verdicts]
    .filter(([id, {state}]) => wanted.includes(state) && (rest.ids?.includes(id) ?? true))
    .map(([id]) => id);
  return {...rest, ids};
}

/**
 * One job with its log and, where it is running, its live state.
 * @throws AtomctlError NO_SUCH_JOB
 */
export async function showLiveJob(
  options: JobClock & {database: Database; id: number; live: boolean},
  sources: () => Promise<LiveSources>,
): Promise<{job: JobDetails; report: LiveReport | null}> {
  const job = await showJob(options);
  if (!options.live || job.status !== 'running') return {job, report: null};
  const report = await askServers(options, sources);
  // No state: the job ended while the servers were asked, and its row now says how.
  if (!report.verdicts.has(job.id)) return {job: await showJob(options), report};
  return {job: {...job, ...liveFields(job.id, report)}, report};
}
