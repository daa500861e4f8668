/**
 * Looks at the payloads of queued jobs, which Gearman shows to a worker alone: take a job, read it, give it back.
 *
 * gearmand queues a returned job at the end, and returns what one connection holds in reverse. So each job is held
 * by a connection of its own and these give back one after the other in the order of grabbing: within a function
 * and a priority the order is then as before. Meanwhile workers find nothing; they are woken by each return.
 */
import {AtomctlError} from '../errors.ts';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import {type ServerLock, takeLock} from '../gearman/lock.ts';
import {type ConnectOptions, connectServer, type GearmanServer} from '../gearman/server.ts';
import {connectWorker, type GrabbedJob, type WorkerConnection} from '../gearman/worker-connection.ts';
import {PROBE_LOCK} from './function-name.ts';
import {newProbeId} from './probe-id.ts';
import {refuseOtherServers, refuseWhereReturnsDrop} from './retry-limit.ts';

/** Each held job costs a connection here and in gearmand, which often may have no more than 1024. */
export const MOST_HELD = 500;

const LOCK_RETRY_MS = 20;

export interface ProbedJob extends GrabbedJob {
  /** The id of AtoM's row, from the payload; null if the payload has none. */
  jobId: number | null;
}

export interface ProbeOptions extends ConnectOptions {
  /** True for a job that shall leave the queue for good. Decided while the job is held. */
  take?: (job: ProbedJob) => boolean;
  /** Called with the jobs that left the queue, also if the look failed later, before another atomctl may hold any. */
  settle?: (removed: readonly ProbedJob[]) => Promise<void>;
  /** Aborted before a job is held: the look ends with INTERRUPTED. Once begun it is short, and runs to its end. */
  signal?: AbortSignal;
}

export interface ProbeResult {
  /** The jobs that went back into the queue, in its order within each function. */
  jobs: ProbedJob[];
  /** The jobs that `take` chose: failed, gone from the server. */
  removed: ProbedJob[];
}

/**
 * Looks at every job of the functions that waits on one server, and takes those out that `take` chooses. Executing
 * jobs are left alone. Whatever goes wrong, held jobs return to the queue; if the process dies, by the end of its
 * connections. One atomctl at a time looks at a server.
 * @throws AtomctlError REFUSED if a returned job could be lost, if too many wait, or if another atomctl goes
 *   on looking; INTERRUPTED; or as GearmanServer's questions do
 */
export async function probeQueue(
  address: ServerAddress,
  functions: readonly string[],
  options: ProbeOptions,
): Promise<ProbeResult> {
  const server = await connectServer(address, options);
  try {
    // What seems to be executing may wait in truth, held by another atomctl that looks.
    const mayWait = (await server.status()).some((row) => row.total > 0 && functions.includes(row.function));
    if (!mayWait) return {jobs: [], removed: []};
    await refuseOtherServers(server);
    const lock = await lockServer(address, options);
    try {
      const waiting = await waitingJobs(server, functions);
      if (waiting.count === 0) return {jobs: [], removed: []};
      await refuseWhereReturnsDrop(server, options);
      return await probeAndSettle(address, waiting, options);
    } finally {
      await lock.release();
    }
  } finally {
    server.close();
  }
}

interface Waiting {
  /** Those with queued jobs alone: registering for another would leave its empty row behind in the server. */
  functions: string[];
  count: number;
}

async function waitingJobs(server: GearmanServer, functions: readonly string[]): Promise<Waiting> {
  const wanted = new Set(functions);
  const rows = (await server.status()).filter((row) => wanted.has(row.function) && row.total > row.running);
  const count = rows.reduce((sum, row) => sum + row.total - row.running, 0);
  if (count > MOST_HELD) {
    throw new AtomctlError(
      'REFUSED',
      `${count} jobs wait on Gearman server ${formatAddress(server.address)}; atomctl looks at ${MOST_HELD} at most.`,
      {hint: 'Nothing was touched. Let the workers shorten the queue first.'},
    );
  }
  return {functions: rows.map((row) => row.function), count};
}

/**
 * Waits for the right to hold jobs of a server: one atomctl at a time has it.
 * @throws AtomctlError REFUSED if another has it for longer than the timeout; INTERRUPTED; or as GearmanServer's
 *   questions do
 */
export async function lockServer(
  address: ServerAddress,
  options: ConnectOptions & {signal?: AbortSignal},
): Promise<ServerLock> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    if (options.signal?.aborted) {
      throw new AtomctlError('INTERRUPTED', 'Interrupted before looking at the queue; nothing was touched.');
    }
    const lock = await takeLock(address, PROBE_LOCK, {...options, clientId: newProbeId(Date.now())});
    if (lock) return lock;
    if (Date.now() > deadline) {
      throw new AtomctlError(
        'REFUSED',
        `Another atomctl is looking at the queue of Gearman server ${formatAddress(address)}.`,
        {hint: 'Nothing was touched. Try again in a moment.'},
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
}

async function probeAndSettle(
  address: ServerAddress,
  waiting: Waiting,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const removed: ProbedJob[] = [];
  try {
    return {jobs: await probeAndGiveBack(address, waiting, {...options, removed}), removed};
  } finally {
    if (removed.length > 0) await options.settle?.(removed);
  }
}

/** @returns the jobs that went back; those that did not are added to `removed`, each as soon as it is gone */
async function probeAndGiveBack(
  address: ServerAddress,
  {functions, count}: Waiting,
  {removed, ...options}: ProbeOptions & {removed: ProbedJob[]},
): Promise<ProbedJob[]> {
  const workers: WorkerConnection[] = [];
  try {
    // All connections first: if gearmand has too few left, that shows while nothing is held yet.
    while (workers.length <= count) workers.push(await openWorker(address, options));
    const held = await holdAll(workers, functions, () => openWorker(address, options));
    const chosen = new Set(held.filter((job) => options.take?.(job)));
    for (const [index, job] of held.entries()) {
      if (!chosen.has(job)) continue;
      await workers[index]!.fail(job.handle);
      removed.push(job);
    }
    return held.filter((job) => !chosen.has(job));
  } finally {
    await giveBackAll(workers);
  }
}

/** A connection that gearmand has accepted, which a connected socket alone does not tell. */
async function openWorker(address: ServerAddress, options: ProbeOptions): Promise<WorkerConnection> {
  const worker = await connectWorker(address, {...options, clientId: newProbeId(Date.now())});
  await worker.giveBack().catch((error: unknown) => {
    worker.close();
    throw error;
  });
  return worker;
}

/**
 * Takes a job with each worker in turn until none waits: the first worker holds the first job. Jobs submitted
 * meanwhile are held too, by further workers, lest they come before those that go back.
 */
async function holdAll(
  workers: WorkerConnection[],
  functions: readonly string[],
  open: () => Promise<WorkerConnection>,
): Promise<ProbedJob[]> {
  const held: ProbedJob[] = [];
  for (;;) {
    if (held.length === workers.length) workers.push(await open());
    const job = await workers[held.length]!.grab(functions);
    if (!job) return held;
    held.push({...job, jobId: jobIdOf(job.payload)});
  }
}

/** One after the other. Once the server stops answering, the end of the connections must do. */
async function giveBackAll(workers: readonly WorkerConnection[]): Promise<void> {
  try {
    for (const worker of workers) {
      await worker.giveBack();
      worker.close();
    }
  } finally {
    for (const worker of workers) worker.close();
  }
}

/** The id of AtoM's row in a payload: AtoM sends the parameters as JSON. Null where there is none. */
export function jobIdOf(payload: string): number | null {
  try {
    const id = String((JSON.parse(payload) as {id?: unknown} | null)?.id);
    return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : null;
  } catch {
    return null;
  }
}
