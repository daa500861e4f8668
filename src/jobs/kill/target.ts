/** The state that a kill carries through its phases: what was asked for, and what becomes of each job. */
import type {SiteTime} from '../../atom/site-time.ts';
import type {AtomctlError} from '../../errors.ts';
import type {Database} from '../../mysql/database.ts';
import type {ProbedPayload} from '../live/evidence.ts';
import {type LiveAccess, type LiveReport, placesOf} from '../live/live-state.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import type {LiveVerdict} from '../live/verdict.ts';
import type {RowFailure, RowOutcome} from '../model/change-row.ts';
import type {Job, JobStatus, LiveState} from '../model/job.ts';
import type {Matched} from '../model/matched.ts';
import type {Interruptible, WorkerControl, WorkerStop} from '../model/worker-control.ts';

export interface KillOptions extends QueueOptions, Omit<LiveAccess, 'database'> {
  ids: readonly number[];
  database: Database;
  time: SiteTime;
  now: () => Date;
  /** Removes the row and all that belongs to it, instead of marking it as an error. */
  deleteRows: boolean;
  /** Who kills, as the error note names them: user@host. */
  by: string;
  reason: string | null;
  /** The culture that AtoM is to show the note in. */
  culture: string;
  /** Changes the rows also of ended jobs, and of jobs that Gearman may still run. */
  force: boolean;
  /** Given if workers may be restarted. */
  worker: WorkerControl | null;
  /** No systemd runs here, so --restart-worker would fail. */
  noSystemd?: boolean;
  mayInterrupt: Interruptible;
  /** Aborted, the kill leaves the jobs alone that it has not begun with. */
  signal: AbortSignal;
  /** Waits for milliseconds, or until the signal is aborted. */
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** See Recheck: it is the same for the plan that is shown and for the kill. */
  firstSeen: Map<number, number>;
  /** What a question said of the jobs, which were agreed to as that; absent if nothing was shown. */
  asked?: ReadonlyMap<number, Asked>;
  /** What the filters saw that chose the jobs; absent if ids did. */
  matched?: ReadonlyMap<number, Matched>;
}

export type KillState = LiveState | 'ended';

/** What a plan that was shown said of a job. */
export interface Asked {
  status: JobStatus;
  state: KillState;
  name: string;
}

/** What became of a job in one queue. `absent`: it was gone from there; `unknown`: the answer was lost. */
export type InQueue = 'removed' | 'cancelled' | 'unknown' | 'absent';

/** One job to kill, from the plan to its end. */
export interface Target {
  job: Job;
  /** What the job was before anything was done. */
  was: KillState;
  /** What it is now. */
  now: KillState;
  /** Why; null if the job has ended. */
  verdict: LiveVerdict | null;
  /** Bytes of its log when its state was proved; null if the job has ended. */
  logLength: number | null;
  /** Its log has an error line since its last start, or it finished with an error note. */
  failed: boolean;
  /** Why it is left alone; null if it may be killed as far as is known. */
  refused: string | null;
  /** What was done to it in each queue that had it. */
  inQueues: Map<string, InQueue>;
  /** Other servers that may have it too and were not asked, each with the reason. */
  unchecked: ReadonlyMap<string, string>;
  /** It executes and its key is not known: Gearman lists handles, but not whose they are, so that it cannot be cancelled there. */
  isKeyless: boolean;
  /** Its row has ended, and Gearman still has the job as waiting. */
  waitsEnded: boolean;
  /** Its row has ended, it executes, and its job in Gearman was cancelled already. */
  isCancelled: boolean;
  /** How to end its worker by hand, if it executes and no systemd can stop it; null otherwise. */
  howToEnd: ByHand | null;
  /** What became of its row; null if it is still to be changed. */
  row: RowOutcome | RowFailure | null;
}

/** What to do by hand: each one or more sentences. */
export interface ByHand {
  /** Ends the worker of the job. */
  end: string;
  /** Gives the other jobs a worker again. */
  start: string;
}

/** The state map of one kill: plan.ts fills it, rows.ts, dequeue.ts and complete.ts go on with it. */
export interface KillPlan {
  /** By job id; ids without a row are left out. */
  targets: Map<number, Target>;
  report: LiveReport;
  /** What a probe of the queue has found waiting. */
  probed: readonly ProbedPayload[];
  /** The workers that have to stop; null if none has to, or none may. */
  workers: WorkerStop | null;
  /** Why the queue could not be probed, or workers may not be stopped; empty if nothing went wrong. */
  problems: AtomctlError[];
}

/**
 * What was done to a job in Gearman, over all queues that have it; null if nothing was, or if one is left: it is out once it is out
 * of all.
 */
export function dequeued({job, inQueues}: Target, report: LiveReport): Exclude<InQueue, 'absent'> | null {
  const done = new Set(inQueues.values());
  if (done.has('unknown')) return 'unknown';
  if (placesOf(report, job.id).some(({queue}) => !inQueues.has(queue))) return null;
  if (done.has('cancelled')) return 'cancelled';
  return done.has('removed') ? 'removed' : null;
}

/**
 * Whether nothing keeps its row from being changed: it is out of Gearman, and no server may have it that was not asked, unless that
 * does not matter.
 */
export function isOutEverywhere(
  target: Target,
  report: LiveReport,
  {force}: Pick<KillOptions, 'force'>,
): boolean {
  return dequeued(target, report) === 'removed' && (force || target.unchecked.size === 0);
}

/** True if Gearman was changed for it, or may have been. */
export function isTouched({inQueues}: Target): boolean {
  return [...inQueues.values()].some((done) => done !== 'absent');
}

/**
 * The state in a report. A running job without one has ended while the servers were asked. One that has ended may execute
 * nevertheless.
 */
export function stateNow({id, status}: Job, {verdicts, found}: LiveReport): KillState {
  if (status === 'running') return verdicts.get(id)?.state ?? 'ended';
  return found.get(id)?.some(({running}) => running) ? 'executing' : 'ended';
}
