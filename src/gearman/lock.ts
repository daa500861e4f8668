import type {ServerAddress} from './address.ts';
import {PACKET, request} from './packet.ts';
import {connectWorker, grabbedJobs, grabRequests, type WorkerOptions} from './worker-connection.ts';

export interface ServerLock {
  /** Never rejects: where the server is gone, the lock is gone with it. */
  release(): Promise<void>;
}

/**
 * Takes a lock that lives in a gearmand, or null where someone else has it. The lock is a job that all who want it
 * submit under one key, so that there is one alone, and that gearmand hands to one of them. It is submitted in the
 * foreground: should the process die, gearmand forgets it. It must never be in the way of anyone's queue, so `name`
 * is a function that no worker has. The function's empty row stays in gearmand's status: dropping it could drop the
 * job of one who waits.
 * @throws AtomctlError as GearmanServer's questions do
 */
export async function takeLock(
  address: ServerAddress,
  name: string,
  options: WorkerOptions,
): Promise<ServerLock | null> {
  const worker = await connectWorker(address, options);
  try {
    const submit = request(PACKET.SUBMIT_JOB, name, name, '');
    const [job] = grabbedJobs(await worker.exchange([submit, ...grabRequests([name])], 'GRAB_JOB_UNIQ'));
    if (job) {
      return {
        async release() {
          await worker.complete(job.handle).catch(() => undefined);
          worker.close();
        },
      };
    }
  } catch (error) {
    worker.close();
    throw error;
  }
  worker.close();
  return null;
}
