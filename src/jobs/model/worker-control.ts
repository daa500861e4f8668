import {AtomctlError} from '../../errors.ts';

/** Stops and starts the site's workers, each verified; given where they may be restarted. */
export interface WorkerControl {
  /** @throws AtomctlError if a worker could not be stopped */
  stop(): Promise<void>;
  /** @throws AtomctlError if a worker did not come back with its abilities */
  start(): Promise<void>;
}

/** The expected failure that work ended with, or null. Anything unexpected is thrown on. */
async function failureOf(work: Promise<void>): Promise<AtomctlError | null> {
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
  worker: WorkerControl,
  work: () => Promise<T>,
): Promise<{result: T; problems: AtomctlError[]}> {
  const stopProblem = await failureOf(worker.stop());
  let result: T;
  let startProblem: AtomctlError | null;
  try {
    result = await work();
  } finally {
    startProblem = await failureOf(worker.start());
  }
  return {result, problems: [stopProblem, startProblem].filter((problem) => problem !== null)};
}
