import {AtomctlError} from '../errors.ts';
import type {GearmanServer} from '../gearman/server.ts';

/**
 * What became of a job. `absent`: the server has no such job. `executing`: a worker has it, and nothing was touched.
 * `removed`: it waited, and no worker gets it. `cancelled`: a worker has it, or may have it, and goes on, but when that worker
 * ends or dies the job is not handed out again.
 */
export type CancelOutcome = 'absent' | 'executing' | 'removed' | 'cancelled';

/**
 * Ends one job by its key. No other job is touched and no return is counted. A waiting job stays in the server as an ignored
 * entry until a worker polls; until then its key is known and nothing can be submitted under it.
 * @param options.executingToo cancels the job also if a worker has it
 * @param options.onAsked called right before the server is asked to: if that request fails, it may have been carried out
 * @throws AtomctlError as GearmanServer's requests do; GEARMAN_PROTOCOL if the server is not gearmand
 */
export async function cancelByKey(
  server: GearmanServer,
  job: {function: string; unique: string},
  options: {executingToo: boolean; onAsked?: () => void},
): Promise<CancelOutcome> {
  const [before] = await server.statusOfUniqueKeys([job.unique]);
  if (!before!.known) return 'absent';
  if (before!.running && !options.executingToo) return 'executing';
  const handle = await server.handleOf(job);
  options.onAsked?.();
  // The job has ended, or the server was restarted and knows it by another handle.
  if (!(await server.cancel(handle))) return 'absent';
  // A worker may have been handed the job in between.
  if (await mayRun(server, handle)) return 'cancelled';
  // It ran and has ended, or the server was restarted and has forgotten it: it was not this that ended it.
  return before!.running ? 'absent' : 'removed';
}

/** If the server does not answer, a worker may have the job: it is cancelled by now. */
async function mayRun(server: GearmanServer, handle: string): Promise<boolean> {
  try {
    const [after] = await server.statusOfHandles([handle]);
    return after!.running;
  } catch (error) {
    if (error instanceof AtomctlError) return true;
    throw error;
  }
}
