import type {ServerAddress} from '../gearman/address.ts';
import {connectServer, type GearmanTimeouts} from '../gearman/server.ts';
import {connectWorker} from '../gearman/worker-connection.ts';
import {readPayload} from './payload.ts';
import {lockServer} from './probe.ts';
import {newProbeId} from './probe-id.ts';
import {refuseOtherServers, refuseWhereReturnsDrop} from './retry-limit.ts';

export interface DrainOptions extends GearmanTimeouts {
  /** How many to end at most. */
  limit: number;
  /** Jobs of rows with higher ids are left. */
  lastId: number;
  signal: AbortSignal;
}

/**
 * Takes the first jobs of a function that wait on one server, however many, and ends each as failed: only one job
 * is held at a time. Executing jobs are left alone. Stops at the limit, when the signal is aborted, and at the first
 * job of a row that is newer than `lastId`, which goes back to the end of the queue.
 * @returns how many were ended
 * @throws AtomctlError REFUSED if a job that goes back could be lost, or another atomctl probes the server; or as
 *   GearmanServer's questions do
 */
export async function drainFunction(
  address: ServerAddress,
  name: string,
  options: DrainOptions,
): Promise<number> {
  const server = await connectServer(address, options);
  try {
    await refuseOtherServers(server);
    const lock = await lockServer(address, options);
    try {
      await refuseWhereReturnsDrop(server, options);
      return await endJobs(address, name, options);
    } finally {
      await lock.release();
    }
  } finally {
    server.close();
  }
}

async function endJobs(address: ServerAddress, name: string, options: DrainOptions): Promise<number> {
  const {limit, lastId, signal} = options;
  const worker = await connectWorker(address, {...options, clientId: newProbeId(Date.now())});
  try {
    let ended = 0;
    while (ended < limit && !signal.aborted) {
      const job = await worker.grab([name]);
      if (job === null) break;
      if ((readPayload(job.payload).jobId ?? 0) > lastId) {
        await worker.giveBack();
        break;
      }
      await worker.fail(job.handle);
      ended += 1;
    }
    return ended;
  } finally {
    worker.close();
  }
}
