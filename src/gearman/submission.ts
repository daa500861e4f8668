import type {ServerAddress} from './address.ts';
import {NotGearman, replyFault} from './fault.ts';
import {endWithEcho, PACKET, request, splitArguments, untilEcho} from './packet.ts';
import type {ConnectOptions} from './server.ts';
import {Wire} from './wire.ts';

export interface Submission {
  function: string;
  /** A job with the same function and key that is still there is joined, not doubled. */
  unique: string;
  payload: string;
}

/**
 * Queues jobs in the background, in their order, and resolves to their handles.
 * @throws AtomctlError as GearmanServer does
 */
export async function submitBackground(
  address: ServerAddress,
  jobs: readonly Submission[],
  {timeoutSeconds}: ConnectOptions,
): Promise<string[]> {
  const wire = await Wire.open(address, timeoutSeconds);
  try {
    const requests = jobs.map((job) => request(PACKET.SUBMIT_JOB_BG, job.function, job.unique, job.payload));
    const packets = await wire.exchange(endWithEcho(requests), 'SUBMIT_JOB_BG', untilEcho());
    const created = packets.filter(({type}) => type === PACKET.JOB_CREATED);
    if (created.length !== jobs.length) {
      throw replyFault(address, 'SUBMIT_JOB_BG', new NotGearman('a job without a handle'));
    }
    return created.map(({data}) => splitArguments(data, 1)[0]!);
  } finally {
    wire.close();
  }
}
