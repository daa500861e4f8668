import {AtomctlError} from '../../errors.ts';
import {type LiveAccess, type LiveReport, liveStatesToAct} from '../live/live-state.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import type {LiveVerdict} from '../live/verdict.ts';
import type {Job, LiveState} from '../model/job.ts';
import {loadJobs} from '../model/load-jobs.ts';
import type {WorkerControl} from '../model/worker-control.ts';
import type {RowChange, RowChanged} from './mark-or-delete.ts';

export interface KillOptions extends QueueOptions, RowChange, Omit<LiveAccess, 'database'> {
  ids: readonly number[];
  /** Changes the rows also of ended jobs, and of jobs that Gearman may still run. */
  force: boolean;
  worker: WorkerControl | null;
  /** Aborted, the kill leaves the jobs alone that it has not begun with. */
  signal: AbortSignal;
  /** Waits for milliseconds, or until the signal is aborted. */
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export type KillState = LiveState | 'ended';

/** One job to kill, from the plan to its end. */
export interface Target {
  job: Job;
  /** What the job was before anything was done. */
  was: KillState;
  /** What it is now. */
  now: KillState;
  /** Why; null if the job has ended. */
  verdict: LiveVerdict | null;
  /** The unique key of its job that was taken out of Gearman; null if none was. */
  dequeued: string | null;
  /** What became of its row; null if it is still to be changed. */
  row: RowChanged | null;
}

/** The state map of one kill: plan.ts fills it, dequeue.ts and complete.ts go on with it. */
export interface KillPlan {
  /** By job id; ids without a row are left out. */
  targets: Map<number, Target>;
  report: LiveReport;
  /** Why the queue could not be probed, or workers may not be stopped; empty if nothing went wrong. */
  problems: AtomctlError[];
}

/**
 * What each job is, before anything is touched.
 * @throws AtomctlError for the database; INTERRUPTED
 */
export async function planKill(options: KillOptions): Promise<KillPlan> {
  const ids = new Set(options.ids);
  const jobs = await loadJobs({...options, now: options.now(), ids: [...ids]});
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const report = await liveStatesToAct(
    options,
    {wait: (milliseconds) => options.wait(milliseconds, options.signal), firstSeen: new Map()},
    running,
  );
  if (options.signal.aborted) {
    throw new AtomctlError('INTERRUPTED', 'Interrupted before the first job was killed.', {
      hint: 'Nothing was changed.',
    });
  }
  const targets = new Map<number, Target>();
  for (const job of jobs) {
    const now = stateNow(job, report);
    const verdict = report.verdicts.get(job.id) ?? null;
    targets.set(job.id, {job, was: now, now, verdict, dequeued: null, row: null});
  }
  return {targets, report, problems: []};
}

/** The state in a report. A running job without one has ended while the servers were asked. */
export function stateNow({id, status}: Job, {verdicts}: LiveReport): KillState {
  return status === 'running' ? (verdicts.get(id)?.state ?? 'ended') : 'ended';
}

/** True if the kill changes the job at all: an ended job's row only if that was asked for. */
export function mayChange({job}: Target, {force, deleteRows}: KillOptions): boolean {
  return job.status === 'running' || force || deleteRows;
}
