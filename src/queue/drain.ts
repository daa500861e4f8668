import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from '../gearman/address.ts';
import {type ConnectOptions, connectServer} from '../gearman/server.ts';
import {connectWorker} from '../gearman/worker-connection.ts';
import {jobIdOf} from './peek.ts';
import {refuseWhereReturnsDrop} from './retry-limit.ts';

export interface DrainOptions extends ConnectOptions {
  /** Jobs of rows with higher ids stay. */
  lastId: number;
  signal?: AbortSignal;
}

/**
 * Empties functions of one server, however many jobs wait: takes each and ends it as failed, one at a time. Executing
 * jobs are left alone. Ends at the first job of a row that is newer than `lastId`, which goes back to the end of the
 * queue, where the newest belong.
 * @returns how many were ended
 * @throws AtomctlError REFUSED where a job that goes back could be lost; INTERRUPTED where the signal was aborted; or
 *   as GearmanServer's questions do
 */
export async function drainQueue(
  address: ServerAddress,
  functions: readonly string[],
  options: DrainOptions,
): Promise<number> {
  const server = await connectServer(address, options);
  try {
    await refuseWhereReturnsDrop(server, options);
  } finally {
    server.close();
  }
  const worker = await connectWorker(address, options);
  try {
    for (let ended = 0; ; ended += 1) {
      if (options.signal?.aborted) {
        throw new AtomctlError('INTERRUPTED', `Interrupted: ${ended} queued jobs were taken out of Gearman.`);
      }
      const job = await worker.grab(functions);
      if (job === null) return ended;
      if ((jobIdOf(job.payload) ?? 0) > options.lastId) {
        await worker.giveBack();
        return ended;
      }
      await worker.fail(job.handle);
    }
  } finally {
    worker.close();
  }
}
