import type {Database} from '../mysql/database.ts';
import type {JobDetails} from './job.ts';
import {type LiveReport, type LiveSources, liveStates} from './live-state.ts';
import type {JobClock} from './load-jobs.ts';
import {showJob} from './show.ts';

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
  const report = await liveStates({...options, ...(await sources())});
  const live = report.states.get(job.id);
  // No state: the job ended while the servers were asked, and its row now says how.
  return {job: live === undefined ? await showJob(options) : {...job, live}, report};
}
