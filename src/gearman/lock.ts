import type {ServerAddress} from './address.ts';
import {PACKET, request} from './packet.ts';
import {connectWorker, grabbedJobs, grabRequests, type WorkerOptions} from './worker-connection.ts';

export interface ServerLock {
  /** Never rejects: if the server is gone, the lock is gone too. */
  release(): Promise<void>;
}

/**
 * Takes a lock that lives in a gearmand; null if another process has it. The lock is a job that all processes submit
 * under one key, so there is only one, and gearmand assigns it to one of them. It is submitted in the foreground: if
 * the process dies, gearmand keeps it as an ignored entry, which goes as the next process takes the lock. It must not
 * disturb any queue, so `name` is a function that no worker has.
 * The function's empty row remains in gearmand's status: dropping it could drop the job of a process that waits.
 * @throws AtomctlError as GearmanServer's requests do
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
