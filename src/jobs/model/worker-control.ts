import {AtomctlError} from '../../errors.ts';

/** A job that a worker of this site executes. */
export interface NamedJob {
  id: number;
  name: string;
}

/** A row may have ended between two reads: then its job was seen twice. */
export function eachOnce(jobs: readonly NamedJob[]): NamedJob[] {
  return [...new Map(jobs.map((job) => [job.id, job])).values()];
}

/** The workers to stop so that jobs end, and what else that comes to. */
export interface WorkerStop {
  /** @throws AtomctlError if a worker could not be stopped */
  stop(): Promise<void>;
  /** @throws AtomctlError if a worker did not come back with its abilities */
  start(): Promise<void>;
  /** The units of these workers; absent if they have none. */
  units?: readonly string[];
  /** Other jobs that these workers execute, or may execute: Gearman hands them out again, and they begin again. */
  interrupts: readonly NamedJob[];
  /** Whether some of these workers are not known to execute one of the jobs: what they begin meanwhile is interrupted, too. */
  others?: boolean;
}

/** The same, with the ids of all jobs that were known to execute: what executes besides has begun since. */
export interface PlannedStop extends WorkerStop {
  known: ReadonlySet<number>;
}

/** Stops and starts the site's workers; given if they may be restarted. */
export interface WorkerControl {
  /**
   * The workers that execute these jobs; all of the site's if that cannot be determined of one, or if one of the jobs goes back
   * into the queue, where another worker would begin it.
   * @param executing every job of the site that executes or may execute
   * @param options.goBack Gearman queues one of the jobs again as its worker stops
   */
  workersOf(
    ids: ReadonlySet<number>,
    executing: readonly NamedJob[],
    options: {goBack: boolean},
  ): Promise<WorkerStop>;
}

/** The workers to stop for these jobs. @param options.executing may have a job twice, see eachOnce */
export async function planStop(
  worker: WorkerControl,
  ids: ReadonlySet<number>,
  {executing, goBack}: {executing: readonly NamedJob[]; goBack: boolean},
): Promise<PlannedStop> {
  const jobs = eachOnce(executing);
  const stop = await worker.workersOf(ids, jobs, {goBack});
  return {...stop, known: new Set(jobs.map(({id}) => id))};
}

/** Other jobs that a restart may interrupt: what was agreed to. */
export type Interruptible = ReadonlySet<number> | 'all';

/** Why these workers may not be stopped: that would interrupt a job without that having been agreed to. */
export function reasonAgainstInterruption(workers: WorkerStop, agreed: Interruptible): AtomctlError | null {
  const jobs = agreed === 'all' ? [] : workers.interrupts.filter(({id}) => !agreed.has(id));
  if (jobs.length === 0) return null;
  const list = jobs.map(({id, name}) => `${id} (${name})`).join(', ');
  return new AtomctlError(
    'REFUSED',
    `Stopping the worker would also interrupt ${jobs.length === 1 ? 'job' : 'jobs'} ${list}, which would start again from the beginning.`,
    {hint: 'To allow this, give --interrupt-others.'},
  );
}

/** So often workers may go on to another job while they are about to be stopped. */
export const MOST_PLANS = 5;

/** Why workers that execute short jobs may not be stopped: each time, another job would be interrupted. */
export function goOnAllTheTime(): AtomctlError {
  return new AtomctlError('REFUSED', 'The workers start new jobs too quickly, so no worker was stopped.', {
    hint: 'Stop them first: atomctl worker:stop',
  });
}

/** The expected failure that work ended with, or null. Anything unexpected is thrown on. */
export async function failureOf(work: Promise<void>): Promise<AtomctlError | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}

/**
 * Does work after the workers were asked to stop, whether they did or not, and starts them whatever happens.
 * @returns what came of it, and why workers were not stopped or not started, in this order
 */
export async function whileStopped<T>(
  workers: Pick<WorkerStop, 'stop' | 'start'>,
  work: () => Promise<T>,
): Promise<{result: T; problems: AtomctlError[]}> {
  const stopProblem = await failureOf(workers.stop());
  let result: T;
  let startProblem: AtomctlError | null;
  try {
    result = await work();
  } finally {
    startProblem = await failureOf(workers.start());
  }
  return {result, problems: [stopProblem, startProblem].filter((problem) => problem !== null)};
}
