/**
 * Reads the payloads of queued jobs. Gearman shows a payload only to a worker: take a job, read it, return it.
 *
 * gearmand queues a returned job at the end, and returns what one connection holds in reverse. So each job is held
 * by a connection of its own and the connections return them one after the other, in the order of grabbing: within a
 * function and a priority the order is then as before. During a probe workers find nothing; each return wakes them.
 */
import {AtomctlError} from '../errors.ts';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import {type ServerLock, takeLock} from '../gearman/lock.ts';
import {connectServer, type GearmanServer, type GearmanTimeouts} from '../gearman/server.ts';
import {connectWorker, type GrabbedJob, type WorkerConnection} from '../gearman/worker-connection.ts';
import {PROBE_LOCK} from './function-name.ts';
import {type PayloadFields, readPayload} from './payload.ts';
import {newProbeId} from './probe-id.ts';
import {refuseOtherServers, refuseWhereReturnsDrop} from './retry-limit.ts';

/** Each held job costs a connection here and in gearmand, which often may have no more than 1024. */
export const MOST_HELD = 500;

const LOCK_RETRY_MS = 20;

export interface ProbedJob extends GrabbedJob, PayloadFields {}

export interface ProbeOptions extends GearmanTimeouts {
  /** True for a job that must leave the queue. Decided while the job is held. */
  take?: (job: ProbedJob) => boolean;
  /** Called with the jobs that left the queue, also if the probe failed later, before another atomctl may hold any. */
  settle?: (removed: readonly ProbedJob[]) => Promise<void>;
  /** If it is aborted before a job is held, the probe ends with INTERRUPTED. After that it is short and runs to its end. */
  signal?: AbortSignal;
}

export interface ProbeResult {
  /** The jobs that went back into the queue, in its order within each function. */
  jobs: ProbedJob[];
  /** The jobs that `take` chose: failed, gone from the server. */
  removed: ProbedJob[];
}

/**
 * Reads every job of the functions that waits on one server, and ends those that `take` chooses. Executing
 * jobs are left alone. Whatever goes wrong, held jobs return to the queue; if the process dies, by the end of its
 * connections. One atomctl at a time probes a server.
 * @throws AtomctlError REFUSED if a returned job could be lost, if too many wait, or if another atomctl continues
 *   to probe; INTERRUPTED; or as GearmanServer's questions do
 */
export async function probeQueue(
  address: ServerAddress,
  functions: readonly string[],
  options: ProbeOptions,
): Promise<ProbeResult> {
  const server = await connectServer(address, options);
  try {
    // A job that seems to be executing may be waiting, held by another atomctl that probes.
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
  /** Only those with queued jobs: registering for another would leave an empty row in the server. */
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
      `${count} jobs wait on Gearman server ${formatAddress(server.address)}; atomctl probes ${MOST_HELD} at most.`,
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
  options: GearmanTimeouts & {signal?: AbortSignal},
): Promise<ServerLock> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    if (options.signal?.aborted) {
      throw new AtomctlError('INTERRUPTED', 'Interrupted before the queue was probed; nothing was touched.');
    }
    const lock = await takeLock(address, PROBE_LOCK, {...options, clientId: newProbeId(Date.now())});
    if (lock) return lock;
    if (Date.now() > deadline) {
      throw new AtomctlError(
        'REFUSED',
        `Another atomctl is probing the queue of Gearman server ${formatAddress(address)}.`,
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
    // All connections first: if gearmand has too few left, it fails before any job is held.
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

/** A connection that gearmand has accepted; a connected socket does not prove this. */
async function openWorker(address: ServerAddress, options: ProbeOptions): Promise<WorkerConnection> {
  const worker = await connectWorker(address, {...options, clientId: newProbeId(Date.now())});
  await worker.giveBack().catch((error: unknown) => {
    worker.close();
    throw error;
  });
  return worker;
}

/**
 * Takes a job with each worker in turn until none waits: the first worker holds the first job. Jobs that are
 * submitted during this are held too, by further workers, so that they do not come before those that go back.
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
    held.push({...job, ...readPayload(job.payload)});
  }
}

/** One after the other. If the server stops answering, closing the connections returns the jobs. */
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
