import {JOB_CLASSES} from '../../atom/job-classes.ts';
import type {LiveState} from '../../jobs/model/job.ts';
import type {SiteEvidence} from '../evidence.ts';
import type {JobLog} from './job-logs.ts';

/** Between a job's last line of log and the change of its row a healthy worker takes less than this. */
const SAVING_SECONDS = 60;

/**
 * What is wrong with a job that the database calls running. Each job has one fault at most, the one that explains
 * the others: a job that wrote its last line is no longer lost, and a lost one is silent of course.
 */
export type JobFault = 'finished' | 'lost' | 'stuck';

export interface RunningJob {
  id: number;
  name: string;
  state: LiveState;
  fault: JobFault | null;
  /** Since the last line of its log; null where there is none, or the log is at its cap. */
  silentSeconds: number | null;
  /** AtoM lets only the oldest running job of these classes work. */
  oneAtATime: boolean;
}

/** The jobs that the database calls running, oldest first, each with what it really is and what is wrong with it. */
export async function runningJobs(site: SiteEvidence): Promise<RunningJob[]> {
  const {states, rows, missing, probing} = await site.live();
  const logs = await site.logs();
  const {stuckAfterSeconds} = site.access;
  return rows.flatMap(({id, name}) => {
    const state = states.get(id);
    if (state === undefined) return [];
    const log = logs.get(id);
    const silentSeconds = secondsOfSilence(log, site);
    const evidence = {
      state,
      log,
      silentSeconds,
      stuckAfterSeconds,
      complete: missing.length === 0 && !probing,
    };
    const oneAtATime = Object.hasOwn(JOB_CLASSES, name) && JOB_CLASSES[name]?.oneAtATime === true;
    return [{id, name, state, fault: faultOf(evidence), silentSeconds, oneAtATime}];
  });
}

function secondsOfSilence(log: JobLog | undefined, {access}: SiteEvidence): number | null {
  const at = log?.lastActivity ?? null;
  return at === null ? null : Math.floor((access.now().getTime() - access.time.toEpochMs(at)) / 1000);
}

/** A queued job is silent by right; an uncertain one may be queued where not every server could be asked in peace. */
function faultOf(job: {
  state: LiveState;
  log: JobLog | undefined;
  silentSeconds: number | null;
  stuckAfterSeconds: number;
  complete: boolean;
}): JobFault | null {
  const silentSeconds = job.silentSeconds ?? 0;
  if (job.log?.finished && (job.state === 'lost' || silentSeconds > SAVING_SECONDS)) return 'finished';
  if (job.state === 'lost') return 'lost';
  const begun = job.state === 'executing' || (job.state === 'uncertain' && job.complete);
  return begun && silentSeconds > job.stuckAfterSeconds ? 'stuck' : null;
}
