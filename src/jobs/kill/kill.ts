/**
 * Ends jobs so that they stay ended. Marking the row is not enough: Gearman would hand a queued job to the next
 * worker, and an executing one to the next after its worker dies. So the job goes out of Gearman first, and its
 * row changes before anyone may call it lost; where Gearman cannot be rid of it, the kill is refused.
 */
import {AtomctlError, EXIT} from '../../errors.ts';
import type {LiveOptions} from '../live/live-state.ts';
import {NO_LIFE, type QueueOptions} from '../live/queue-payloads.ts';
import type {Job, LiveState} from '../model/job.ts';
import {loadJobs} from '../model/load-jobs.ts';
import {type WorkerControl, whileStopped} from '../model/worker-control.ts';
import {changeRow, type RowChange, type RowChanged} from './mark-or-delete.ts';
import {
  cancelInGearman,
  type Findings,
  findAndTakeOut,
  reasonAgainstRestart,
  stillInGearman,
  type TakenOut,
  takeOut,
} from './take-out.ts';

export interface KillOptions extends QueueOptions, RowChange, Omit<LiveOptions, 'probe' | 'database'> {
  ids: readonly number[];
  /** Changes the rows also of finished jobs, and of jobs that Gearman may still run. */
  force: boolean;
  worker: WorkerControl | null;
  /** Aborted, the kill leaves the jobs alone that it has not begun with. */
  signal: AbortSignal;
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
  /** Why the worker was not stopped, or could not be stopped or started; null where all of it went well. */
  workerProblem: AtomctlError | null;
  /** Jobs were left alone because of an interruption. */
  interrupted: boolean;
}

/** One job to kill: what it was before anything was done, and what it is now. */
export interface Target {
  job: Job;
  was: KillState;
  now: KillState;
  findings: Findings;
}

/**
 * Kills each job on its own; one that is refused does not stop the rest, and what fails once something was done is
 * told for each job. Where one is executing and the workers may be restarted, they are stopped first, which puts it
 * back into the queue, also where only some of them stop, and started again whatever happens.
 * @throws AtomctlError for the database, or INTERRUPTED, before anything was done
 */
export async function killJobs(options: KillOptions): Promise<KillResult> {
  const jobs = await loadJobs({...options, now: options.now(), ids: [...new Set(options.ids)]});
  const ids = new Set(jobs.filter((job) => mayChange(job, options)).map(({id}) => id));
  if (options.signal.aborted)
    throw new AtomctlError('INTERRUPTED', 'Interrupted before the first job was killed.', {
      hint: 'Nothing was changed.',
    });
  const changeRowAfter = (executed: ReadonlySet<number>) => async (id: number) => {
    const job = jobs.find((candidate) => candidate.id === id)!;
    return changeRow(options, job, stateBefore(job, executed));
  };
  const first = await findAndTakeOut(options, ids, changeRowAfter(new Set()));
  const executing = [...ids].filter((id) => first.report.states.get(id) === 'executing');
  if (options.worker === null || executing.length === 0 || options.signal.aborted) {
    return {...(await killEach(options, jobs, first)), workerRestarted: false, workerProblem: null};
  }
  const servers = new Set(executing.map((id) => first.report.found.get(id)!.server));
  const against = await reasonAgainstRestart([...servers], options);
  if (against !== null) {
    const findings = {...first, problems: [...first.problems, against]};
    return {...(await killEach(options, jobs, findings)), workerRestarted: false, workerProblem: against};
  }
  const executed = new Set(executing);
  const {result, problems} = await whileStopped(options.worker, async () => {
    // A worker that stops gives its job back: once begun, that job is taken out, or it would run all over again.
    const begun = options.signal.aborted ? executed : ids;
    const uninterrupted = {...options, signal: undefined};
    const findings = await takeOut(uninterrupted, begun, first, changeRowAfter(executed));
    return killEach(options, jobs, findings, executed);
  });
  return {...result, workerRestarted: problems.length === 0, workerProblem: problems[0] ?? null};
}

/** What a job was before its worker was stopped, or before it was taken out of the queue. */
function stateBefore({id, status}: Job, executed: ReadonlySet<number>): KillState {
  if (executed.has(id)) return 'executing';
  return status === 'running' ? 'queued' : 'finished';
}

/** Whether a kill changes the job at all: the row of one that has ended only where that was asked for. */
function mayChange({status}: Job, {force, deleteRows}: KillOptions): boolean {
  return status === 'running' || force || deleteRows;
}

type KillCount = Pick<KillResult, 'killed' | 'interrupted'>;

async function killEach(
  options: KillOptions,
  jobs: readonly Job[],
  findings: Findings,
  executed: ReadonlySet<number> = new Set(),
): Promise<KillCount> {
  const killed: Killed[] = [];
  let interrupted = false;
  for (const id of new Set(options.ids)) {
    const job = jobs.find((candidate) => candidate.id === id);
    if (job === undefined) {
      killed.push({id, was: null, action: 'refused', gearman: 'none', message: `There is no job ${id}.`});
      continue;
    }
    const target = targetOf(job, findings, executed);
    const removed = findings.removed.get(id);
    if (removed !== undefined) killed.push(await completeTakenOut(options, target, removed));
    else if (options.signal.aborted) {
      interrupted = true;
      killed.push(refused(target, `Interrupted: job ${id} was left as it is.`));
    } else killed.push(await killOne(options, target));
  }
  return {killed, interrupted};
}

function targetOf(job: Job, findings: Findings, executed: ReadonlySet<number>): Target {
  // A running row without a state has ended while the servers were asked.
  const now = job.status === 'running' ? (findings.report.states.get(job.id) ?? 'finished') : 'finished';
  const known = executed.has(job.id) || findings.removed.has(job.id);
  return {job, was: known ? stateBefore(job, executed) : now, now, findings};
}

function refused({job: {id}, was, now}: Target, message: string): Killed {
  const gone = now === 'finished' || now === 'lost';
  return {id, was, action: 'refused', gearman: gone ? 'none' : 'remains', message};
}

async function killOne(options: KillOptions, target: Target): Promise<Killed> {
  const {job, was, now, findings} = target;
  const message = refusal(options, target);
  if (message !== null) return refused(target, message);
  const gone = now === 'lost' || now === 'finished';
  const gearman = gone ? 'none' : await cancelInGearman(findings.report.found.get(job.id));
  return told(target, await changeRow(options, job, was), gearman);
}

/** A job that is out of Gearman: its row has changed by now, or changes here. */
async function completeTakenOut(
  options: KillOptions,
  target: Target,
  {unique, change}: TakenOut,
): Promise<Killed> {
  const row = change ?? (await changeRow(options, target.job, target.was));
  return told(target, row, (await stillInGearman(options.servers, unique)) ? 'remains' : 'removed');
}

function told({job: {id}, was}: Target, change: RowChanged, gearman: GearmanOutcome): Killed {
  const message = [change.message, REMAINDER[gearman]].filter(Boolean).join(' ');
  return {id, was, gearman, ...change, message};
}

/** What is left to say of Gearman after a row was changed. */
const REMAINDER: Record<GearmanOutcome, string> = {
  removed: 'Its Gearman job is gone.',
  cancelled: 'Its worker goes on until it ends; Gearman will not hand it out again.',
  none: '',
  remains: 'Gearman may still have the job and hand it out.',
};

/** How a kill of several jobs ends: interrupted, all done, some, none for want of the jobs, or none because all were refused. */
export function killExitStatus({killed, workerProblem, interrupted}: KillResult): number {
  if (interrupted) return EXIT.interrupted;
  const refused = killed.filter(({action}) => action === 'refused');
  if (refused.length === 0) return workerProblem === null ? EXIT.ok : EXIT.failed;
  if (refused.length < killed.length) return EXIT.failed;
  return refused.every(({was}) => was === null) ? EXIT.noSuchJob : EXIT.refused;
}

/** Why a job may not be killed as things are, with the command that would do it; null where it may. */
export function refusal(options: KillOptions, target: Target): string | null {
  if (options.force) return null;
  const {job, now} = target;
  switch (now) {
    case 'finished':
      if (options.deleteRows) return null;
      if (job.status === 'running')
        return `Job ${job.id} ended while it was looked at. Its row was left as it is.`;
      return `Job ${job.id} has ended already (${job.status}). To remove its row: atomctl jobs:kill ${job.id} --delete`;
    case 'lost':
      return null;
    case 'executing':
      return executingRefusal(options, target);
    case 'queued':
    case 'uncertain':
      return `Job ${job.id} is ${now}. ${unsettledReason(target)} Its row was left as it is; --force changes it all the same.`;
  }
}

function executingRefusal({worker}: KillOptions, {job, findings}: Target): string {
  if (findings.problems.length > 0) return `Job ${job.id} is executing. ${sentences(findings.problems)}`;
  if (worker !== null) {
    return `Job ${job.id} is still executing, by a worker that could not be stopped from here. Stop that worker, then kill the job again.`;
  }
  return (
    `Job ${job.id} is executing, and only stopping its worker ends it: atomctl jobs:kill ${job.id} --restart-worker ` +
    '(--force changes the row alone, and the worker may overwrite it).'
  );
}

function unsettledReason({job, findings: {report, problems}}: Target): string {
  if (report.missing.length > 0) return sentences(report.missing);
  if (problems.length > 0) return sentences(problems);
  const reason = report.reasons.get(job.id);
  if (reason !== undefined) return reason;
  if (!report.own) return NO_LIFE;
  if (report.probing) return 'Another atomctl is looking at the queue; try again in a moment.';
  return 'The queue moved while it was looked at, or the job is only just being submitted; try again in some seconds.';
}

function sentences(problems: readonly AtomctlError[]): string {
  return problems.map(({message}) => message).join(' ');
}
