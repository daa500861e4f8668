/**
 * Ends jobs so that they stay ended. Marking the row is not enough: Gearman would hand a queued job to the next
 * worker, and an executing one to the next after its worker dies. So the job goes out of Gearman first, and only
 * then the row changes; where Gearman cannot be rid of it, the kill is refused.
 */
import {AtomctlError} from '../errors.ts';
import type {Job} from './job.ts';
import {cancelInGearman, stillInGearman} from './kill-gearman.ts';
import {refusal} from './kill-refusal.ts';
import {changeRow, type RowChange} from './kill-row.ts';
import {type LiveOptions, type LiveReport, liveStates} from './live-state.ts';
import {loadJobs} from './load-jobs.ts';
import {type QueueOptions, type RemovedJob, type SiftedQueue, siftQueue} from './queued-jobs.ts';
import type {LiveState} from './status.ts';
import {problemOf, type WorkerControl} from './worker-control.ts';

export interface KillOptions extends QueueOptions, RowChange, Omit<LiveOptions, 'probe' | 'database'> {
  ids: readonly number[];
  /** Changes the rows also of finished jobs, and of jobs that Gearman may still run. */
  force: boolean;
  worker: WorkerControl | null;
}

export type KillState = LiveState | 'finished';
/** What became of the job in Gearman: nothing was there, or it is out, or it will not be handed out again. */
export type GearmanOutcome = 'removed' | 'cancelled' | 'none' | 'remains';

export interface Killed {
  id: number;
  /** null where there is no such job. */
  was: KillState | null;
  action: 'marked' | 'deleted' | 'refused';
  gearman: GearmanOutcome;
  message: string;
}

export interface KillResult {
  killed: Killed[];
  workerRestarted: boolean;
  /** Why the worker could not be stopped or started; null where it could, or did not have to be. */
  workerProblem: AtomctlError | null;
}

/** What is known once Gearman was asked and what could be taken out was taken out. */
export interface Findings {
  report: LiveReport;
  removed: ReadonlyMap<number, RemovedJob>;
  /** Why the queue could not be looked at; null where it was, or did not have to be. */
  peekRefusal: AtomctlError | null;
}

/** One job to kill: what it was before anything was done, and what it is now. */
export interface Target {
  job: Job;
  was: KillState;
  now: KillState;
  findings: Findings;
}

/**
 * Kills each job on its own; one that is refused does not stop the rest. Where one is executing and the workers may
 * be restarted, they are stopped first, which puts it back into the queue, and started again whatever happens.
 * @throws AtomctlError for the database, before the first row was changed
 */
export async function killJobs(options: KillOptions): Promise<KillResult> {
  const before = await liveStates(options);
  const executes = options.ids.some((id) => before.states.get(id) === 'executing');
  if (options.worker === null || !executes) {
    const killed = await killEach(options, before, await takeOut(options, before));
    return {killed, workerRestarted: false, workerProblem: null};
  }
  let workerProblem = await problemOf(options.worker.stop());
  const stopped = workerProblem === null;
  let killed: Killed[];
  try {
    killed = await killEach(
      options,
      before,
      await takeOut(options, stopped ? await liveStates(options) : before),
    );
  } finally {
    workerProblem = (await problemOf(options.worker.start())) ?? workerProblem;
  }
  return {killed, workerRestarted: stopped && workerProblem === null, workerProblem};
}

/** Takes the jobs to kill out of the queue and tells what the others are. Touches the queue only where it must. */
async function takeOut(options: KillOptions, report: LiveReport): Promise<Findings> {
  const ids = new Set(options.ids);
  const mayWait = options.ids.some((id) =>
    ['queued', 'uncertain', undefined].includes(report.states.get(id)),
  );
  if (!mayWait) return {report, removed: new Map(), peekRefusal: null};
  let look: SiftedQueue = {waiting: [], removed: []};
  try {
    // The look serves as the probe of a second report: what it did not find waiting is executing, ended or lost.
    const probe = async () => {
      look = await siftQueue({...options, take: ({jobId}) => jobId !== null && ids.has(jobId)});
      return look.waiting;
    };
    const settled = await liveStates({...options, probe});
    return {
      report: settled,
      removed: new Map(look.removed.map((job) => [job.jobId!, job])),
      peekRefusal: null,
    };
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code !== 'REFUSED') throw error;
    return {report, removed: new Map(), peekRefusal: error};
  }
}

async function killEach(options: KillOptions, before: LiveReport, findings: Findings): Promise<Killed[]> {
  const jobs = await loadJobs({...options, now: options.now(), ids: options.ids});
  const killed: Killed[] = [];
  for (const id of options.ids) {
    const job = jobs.find((candidate) => candidate.id === id);
    if (job === undefined)
      killed.push({id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`});
    else killed.push(await killOne(options, targetOf(job, before, findings)));
  }
  return killed;
}

function targetOf(job: Job, before: LiveReport, findings: Findings): Target {
  const now = job.status === 'running' ? (findings.report.states.get(job.id) ?? 'uncertain') : 'finished';
  const first = before.states.get(job.id);
  const was = first === 'executing' ? first : findings.removed.has(job.id) ? 'queued' : now;
  return {job, was, now, findings};
}

async function killOne(options: KillOptions, target: Target): Promise<Killed> {
  const {job, was, now, findings} = target;
  const removed = findings.removed.get(job.id);
  let gearman: GearmanOutcome = removed === undefined ? 'none' : 'removed';
  if (removed === undefined) {
    const message = refusal(options, target);
    if (message !== null)
      return {id: job.id, was, action: 'refused', gearman: now === 'finished' ? 'none' : 'remains', message};
    if (now !== 'lost' && now !== 'finished')
      gearman = await cancelInGearman(findings.report.found.get(job.id));
  }
  const change = await changeRow(options, job, was);
  if (removed !== undefined && (await stillInGearman(options.servers, removed.unique))) gearman = 'remains';
  return {
    id: job.id,
    was,
    gearman,
    ...change,
    message: [change.message, REMAINDER[gearman]].filter(Boolean).join(' '),
  };
}

/** What is left to say of Gearman after a row was changed. */
const REMAINDER: Record<GearmanOutcome, string> = {
  removed: 'Its Gearman job is gone.',
  cancelled: 'Its worker goes on until it ends; Gearman will not hand it out again.',
  none: '',
  remains: 'Gearman may still have the job and hand it out.',
};
