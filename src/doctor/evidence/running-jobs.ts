import {isSerial} from '../../atom/job-classes.ts';
import type {LiveReport, LiveVerdict} from '../../jobs/live/live-state.ts';
import type {SiteEvidence} from '../evidence.ts';

/** What is wrong with a job that the database calls Running. Each job has one fault at most. */
export type JobFault = 'finished' | 'lost' | 'stuck';

export interface RunningJob {
  id: number;
  name: string;
  verdict: LiveVerdict;
  fault: JobFault | null;
  /** Its log has an error line since its last start. */
  failed: boolean;
  /** Its log shows its parameters: AtoM 2.7 and later, which marks error lines. */
  marksErrors: boolean;
  /** Bytes of its log when its state was proved. */
  logLength: number;
  /** When its log says that it finished, wall clock; null if it does not say so. */
  finishedAt: string | null;
  /** Since the last line of its log; null without one, or if the log is cut. */
  silentSeconds: number | null;
  /** AtoM lets only the oldest running job of these classes work. */
  oneAtATime: boolean;
}

/** The jobs that the database calls Running, oldest first, each with its live state and what is wrong with it. */
export async function runningJobs(site: SiteEvidence): Promise<RunningJob[]> {
  return jobsInReport(await site.live(), site.access);
}

/** As runningJobs, for a fix: a state that lacks only time is proved first. */
export async function runningJobsToFix(site: SiteEvidence): Promise<RunningJob[]> {
  return jobsInReport(await site.liveToAct(), site.access);
}

function jobsInReport(
  {verdicts, evidence, rows}: LiveReport,
  {now, stuckAfterSeconds}: SiteEvidence['access'],
): RunningJob[] {
  const read = new Map(rows.map((row) => [row.id, row]));
  return evidence.rows.map(({id, name, failed, key, lastActivityMs}) => {
    const verdict = verdicts.get(id)!;
    const silentSeconds =
      lastActivityMs === null ? null : Math.floor((now().getTime() - lastActivityMs) / 1000);
    const isStuck = mayExecute(verdict) && (silentSeconds ?? 0) > stuckAfterSeconds;
    const {state} = verdict;
    const fault = state === 'finished' || state === 'lost' ? state : isStuck ? 'stuck' : null;
    return {
      ...{id, name, verdict, fault, failed, silentSeconds},
      marksErrors: key !== 'none',
      logLength: read.get(id)!.logLength,
      finishedAt: read.get(id)!.finishedAt,
      oneAtATime: isSerial(name),
    };
  });
}

/** A queued job is silent by right. */
function mayExecute({state, likely}: LiveVerdict): boolean {
  return state === 'executing' || likely === 'executing';
}
