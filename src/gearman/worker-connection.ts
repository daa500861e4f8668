import type {ServerAddress} from './address.ts';
import {NotGearman, replyFailure} from './failure.ts';
import {endWithEcho, PACKET, type Packet, request, splitBytes} from './packet.ts';
import type {GearmanTimeouts} from './server.ts';
import {Wire} from './wire.ts';

/** A job that a server handed out, with the payload that its client sent. */
export interface GrabbedJob {
  handle: string;
  function: string;
  unique: string;
  /** Its bytes; AtoM's is JSON. */
  payload: Buffer;
}

/**
 * A connection that takes jobs as a worker does. It never sleeps on the queue, so a server wakes only real workers. A
 * call resolves when the server has executed it; it rejects as GearmanServer's requests do.
 */
export interface WorkerConnection {
  /** Registers functions, in addition to earlier ones, and takes one job; null if no job waits. gearmand only. */
  grab(functions: readonly string[]): Promise<GrabbedJob | null>;
  /** The same, up to `count` jobs in one exchange; fewer if no more wait. */
  grabMany(functions: readonly string[], count: number): Promise<GrabbedJob[]>;
  /** Ends jobs as failed: they leave the queue for good. */
  fail(...handles: string[]): Promise<void>;
  /** Ends a job as done: it leaves the queue for good. */
  complete(handle: string): Promise<void>;
  /**
   * Unregisters all functions. Then gearmand queues every job held here again, at the end, wakes idle workers and
   * counts a retry; with `--job-retries=N` it drops a job at its N-th return. Other servers do not return the job.
   */
  giveBack(): Promise<void>;
  /** Sends any requests at once and resolves to the packets that came back. */
  exchange(requests: readonly Buffer[], command: string): Promise<Packet[]>;
  /** Ends the connection. gearmand queues the jobs held here again a moment later. */
  close(): void;
}

/** How to connect, and under which id the connection shows in `workers`. */
export interface WorkerOptions extends GearmanTimeouts {
  clientId?: string;
}

/**
 * Opens a worker's connection.
 * @throws AtomctlError GEARMAN_UNREACHABLE or GEARMAN_TIMEOUT
 */
export async function connectWorker(
  address: ServerAddress,
  {timeoutSeconds, clientId}: WorkerOptions,
): Promise<WorkerConnection> {
  const wire = await Wire.open(address, timeoutSeconds);
  // gearmand counts a function that is registered twice as two workers.
  const registered = new Set<string>();
  const exchange = (requests: readonly Buffer[], command: string) =>
    wire.exchange(endWithEcho(requests, command));
  if (clientId !== undefined) await exchange([request(PACKET.SET_CLIENT_ID, clientId)], 'SET_CLIENT_ID');

  async function grabMany(functions: readonly string[], count: number): Promise<GrabbedJob[]> {
    const added = functions.filter((name) => !registered.has(name));
    const packets = await exchange(grabRequests(added, count), 'GRAB_JOB_UNIQ');
    for (const name of added) registered.add(name);
    const jobs = grabbedJobs(packets);
    if (jobs.length === count || packets.some(({type}) => type === PACKET.NO_JOB)) return jobs;
    throw replyFailure(address, 'GRAB_JOB_UNIQ', new NotGearman('neither a job nor none'));
  }

  return {
    exchange,
    grabMany,
    grab: async (functions) => (await grabMany(functions, 1))[0] ?? null,
    async fail(...handles) {
      await exchange(
        handles.map((handle) => request(PACKET.WORK_FAIL, handle)),
        'WORK_FAIL',
      );
    },
    async complete(handle) {
      await exchange([request(PACKET.WORK_COMPLETE, handle, '')], 'WORK_COMPLETE');
    },
    async giveBack() {
      await exchange([request(PACKET.RESET_ABILITIES)], 'RESET_ABILITIES');
      registered.clear();
    },
    close: () => wire.close(),
  };
}

/** The requests that register functions and take jobs of theirs. */
export function grabRequests(functions: readonly string[], count = 1): Buffer[] {
  const grabs = new Array<Buffer>(count).fill(request(PACKET.GRAB_JOB_UNIQ));
  return [...functions.map((name) => request(PACKET.CAN_DO, name)), ...grabs];
}

/** The jobs that were handed out, from the packets of a reply. */
export function grabbedJobs(packets: readonly Packet[]): GrabbedJob[] {
  return packets
    .filter(({type}) => type === PACKET.JOB_ASSIGN_UNIQ)
    .map(({data}) => {
      const [handle, name, unique, payload] = splitBytes(data, 4);
      return {
        handle: handle!.toString(),
        function: name!.toString(),
        unique: unique!.toString(),
        payload: payload!,
      };
    });
}
