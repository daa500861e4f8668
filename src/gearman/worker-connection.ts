import type {ServerAddress} from './address.ts';
import {NotGearman, replyFault} from './fault.ts';
import {endWithEcho, PACKET, type Packet, request, splitArguments, untilEcho} from './packet.ts';
import type {ConnectOptions} from './server.ts';
import {Wire} from './wire.ts';

/** A job that a server handed to this connection, with the payload its client sent. */
export interface GrabbedJob {
  handle: string;
  function: string;
  unique: string;
  payload: string;
}

/**
 * A connection that takes jobs as a worker does. It never sleeps on the queue, so that a server wakes real workers
 * only. Every call is confirmed by the server before it resolves; errors are those of GearmanServer.
 */
export interface WorkerConnection {
  /** Registers functions and takes one job of theirs, or null where none waits. gearmand only. */
  grab(functions: readonly string[]): Promise<GrabbedJob | null>;
  /** Ends a job as failed: it leaves the queue for good. */
  fail(handle: string): Promise<void>;
  /** Ends a job as done: it leaves the queue for good. */
  complete(handle: string): Promise<void>;
  /**
   * Unregisters all functions. gearmand queues at once, at the end, every job held here that has not ended, and counts
   * a retry for each; with `--job-retries=N` it drops a job at its N-th return.
   */
  giveBack(): Promise<void>;
  /** Sends requests in one exchange and resolves to the packets that came back. */
  exchange(requests: readonly Buffer[], asked: string): Promise<Packet[]>;
  /** Ends the connection, with the same effect on held jobs as `giveBack`, a moment later. */
  close(): void;
}

/**
 * Opens a worker's connection.
 * @throws AtomctlError GEARMAN_UNREACHABLE or GEARMAN_TIMEOUT
 */
export async function connectWorker(
  address: ServerAddress,
  {timeoutSeconds}: ConnectOptions,
): Promise<WorkerConnection> {
  const wire = await Wire.open(address, timeoutSeconds);
  const exchange = (requests: readonly Buffer[], asked: string) =>
    wire.exchange(endWithEcho(requests), asked, untilEcho());

  return {
    exchange,
    async grab(functions) {
      const abilities = functions.map((name) => request(PACKET.CAN_DO, name));
      const packets = await exchange([...abilities, request(PACKET.GRAB_JOB_UNIQ)], 'GRAB_JOB_UNIQ');
      const assigned = packets.find(({type}) => type === PACKET.JOB_ASSIGN_UNIQ);
      if (assigned) return grabbedJob(assigned);
      if (packets.some(({type}) => type === PACKET.NO_JOB)) return null;
      throw replyFault(address, 'GRAB_JOB_UNIQ', new NotGearman('neither a job nor none'));
    },
    async fail(handle) {
      await exchange([request(PACKET.WORK_FAIL, handle)], 'WORK_FAIL');
    },
    async complete(handle) {
      await exchange([request(PACKET.WORK_COMPLETE, handle, '')], 'WORK_COMPLETE');
    },
    async giveBack() {
      await exchange([request(PACKET.RESET_ABILITIES)], 'RESET_ABILITIES');
    },
    close: () => wire.close(),
  };
}

function grabbedJob({data}: Packet): GrabbedJob {
  const [handle, name, unique, payload] = splitArguments(data, 4);
  return {handle: handle!, function: name!, unique: unique!, payload: payload!};
}
