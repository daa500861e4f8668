import {AtomctlError} from '../errors.ts';

/** Stops and starts the site's workers, each verified; given where they may be restarted. */
export interface WorkerControl {
  /** @throws AtomctlError where a worker could not be stopped */
  stop(): Promise<void>;
  /** @throws AtomctlError where a worker did not come back with its abilities */
  start(): Promise<void>;
}

/** The expected failure that work ended with, or null. Anything unexpected is thrown on. */
export async function problemOf(work: Promise<void>): Promise<AtomctlError | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}
