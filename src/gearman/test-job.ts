import {randomUUID} from 'node:crypto';
import {PACKET, request} from './packet.ts';
import type {GearmanServer, GearmanTimeouts} from './server.ts';
import {connectWorker, grabbedJobs, grabRequests} from './worker-connection.ts';

/**
 * Whether a job that is returned to the queue so many times is still handed out afterwards. No command returns
 * gearmand's `--job-retries`, so a test job on a function of its own is taken and returned that often. It is
 * submitted in the foreground: if the process dies, gearmand ignores it and stores it nowhere.
 * @throws AtomctlError as GearmanServer's requests do
 */
export async function survivesReturns(
  server: GearmanServer,
  returns: number,
  options: GearmanTimeouts,
): Promise<boolean> {
  const name = `atomctl-test-${randomUUID()}`;
  const worker = await connectWorker(server.address, options);
  try {
    const grab = grabRequests([name]);
    const returnAndGrab = [request(PACKET.RESET_ABILITIES), ...grab];
    const grabs = grabbedJobs(
      await worker.exchange(
        [
          request(PACKET.SUBMIT_JOB, name, name, ''),
          ...grab,
          ...Array.from({length: returns}, () => returnAndGrab).flat(),
        ],
        'GRAB_JOB_UNIQ',
      ),
    );
    const survived = grabs.length === returns + 1;
    if (survived) await worker.complete(grabs[0]!.handle);
    await worker.giveBack();
    await server.dropFunction(name);
    return survived;
  } finally {
    worker.close();
  }
}
