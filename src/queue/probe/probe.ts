/** Reads the payloads of waiting jobs, and ends those that are to go. How the jobs are held: held-jobs.ts. */
import type {AtomctlError} from '../../errors.ts';
import type {ServerAddress} from '../../gearman/address.ts';
import {connectServer, type GearmanServer} from '../../gearman/server.ts';
import type {ProbedJob} from './held-jobs.ts';
import {type HoldOptions, holdWaiting, type LeftFunction} from './hold-waiting.ts';
import {underProbeLock} from './probe-lock.ts';
import {refuseOtherServers} from './retry-limit.ts';

export interface ProbeOptions extends HoldOptions {
  /** True for a job that must leave the queue. Decided while the job is held. */
  take?: (job: ProbedJob) => boolean;
  /** True for a job of a serial class that goes back before the others of it. */
  first?: (job: ProbedJob) => boolean;
  /** Called with the jobs that left the queue, also if the probe failed later, before another atomctl may hold any. */
  settle?: (removed: readonly ProbedJob[], left: readonly LeftFunction[]) => Promise<void>;
  /** If it is aborted before a job is held, the probe ends with INTERRUPTED. After that it is short and runs to its end. */
  signal?: AbortSignal;
}

export interface ProbeResult {
  /** The jobs that went back into the queue, in its order within each function. */
  jobs: ProbedJob[];
  /** The jobs that `take` chose: failed, gone from the server. */
  removed: ProbedJob[];
  /** One REFUSED for each function that was left alone, see holdWaiting. */
  refused: AtomctlError[];
  /** These functions. */
  left: readonly LeftFunction[];
}

/**
 * Reads every job of the functions that waits on one server, and ends those that `take` chooses. Executing jobs are left
 * alone. Whatever goes wrong, held jobs return to the queue. One atomctl at a time probes a server.
 * @throws AtomctlError REFUSED if a returned job could be lost, or if another atomctl continues to probe; INTERRUPTED;
 *   or as GearmanServer's requests do
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
    if (!mayWait) return {jobs: [], removed: [], refused: [], left: []};
    await refuseOtherServers(server);
    return await underProbeLock(address, options, () => probeLocked(server, functions, options));
  } finally {
    server.close();
  }
}

async function probeLocked(
  server: GearmanServer,
  functions: readonly string[],
  options: ProbeOptions,
): Promise<ProbeResult> {
  const removed: ProbedJob[] = [];
  let left: readonly LeftFunction[] = [];
  try {
    const held = await holdWaiting(server, functions, options);
    left = held.left;
    try {
      const chosen = new Set(held.jobs.filter((job) => options.take?.(job)));
      await held.end([...chosen], (job) => removed.push(job));
      return {jobs: held.jobs.filter((job) => !chosen.has(job)), removed, refused: held.refused, left};
    } finally {
      await held.giveBack(options.first);
    }
  } finally {
    if (removed.length > 0) await options.settle?.(removed, left);
  }
}
