/**
 * Keeps the order of serial classes. Jobs return one after the other, and one that arrives in between stands before those that
 * return after it. Then all are held again and returned, those that waited first.
 */
import type {GearmanServer, GearmanTimeouts} from '../../gearman/server.ts';
import {oneByOne} from './held-jobs.ts';
import {refuseWhereReturnsDrop} from './retry-limit.ts';
import {ableWorkers, executingHandles} from './workers-able.ts';

/** A queue shortly before its jobs return: what comes after that may stand before them. */
export interface SeenQueue {
  /** The handles of all jobs of the server. */
  handles: ReadonlySet<string>;
  /** How many jobs each function has, held jobs included. */
  totals: ReadonlyMap<string, number>;
  /** The handles of the jobs that workers execute. */
  executing: readonly string[];
}

/** The same with what returns. */
export interface SeenOrder extends SeenQueue {
  functions: readonly string[];
  /** The handles of the jobs that return, in this order. */
  order: readonly string[];
}

/**
 * @param held the handles of the jobs that are held: they do not count as executing
 * @throws AtomctlError as GearmanServer's requests do
 */
export async function lookAtQueue(server: GearmanServer, held: readonly string[]): Promise<SeenQueue> {
  const handles = new Set((await server.jobs()).map(({handle}) => handle));
  const totals = new Map((await server.status()).map((row) => [row.function, row.total]));
  const ours = new Set(held);
  const executing = (await executingHandles(server)).filter((handle) => !ours.has(handle));
  return {handles, totals, executing};
}

/** So often at most: where jobs arrive all the time, one is always in between. */
const MOST_TIMES = 8;

/**
 * Moves the jobs that arrived while others returned behind these. A worker that has become free meanwhile has a job by now.
 * @throws AtomctlError as GearmanServer's requests do, or REFUSED if a job that returns could be dropped
 */
export async function keepOrder(
  server: GearmanServer,
  seen: SeenOrder,
  options: GearmanTimeouts,
): Promise<void> {
  let last = seen;
  for (let times = 0; times < MOST_TIMES; times += 1) {
    if (!(await mayHaveArrived(server, last)) || (await mayTakeJobs(server, last))) return;
    await refuseWhereReturnsDrop(server, 1, options);
    const before = await lookAtQueue(server, []);
    const held = await oneByOne(last.order.length, last.order).hold(server.address, last.functions, options);
    last = {...last, ...before, order: held.order()};
    await held.giveBack();
  }
}

/** False only if no job of the functions can have arrived: one that ended could hide it in the count. */
async function mayHaveArrived(server: GearmanServer, seen: SeenOrder): Promise<boolean> {
  const jobs = await server.jobs();
  const known = new Set([...seen.handles, ...seen.order]);
  if (jobs.every(({handle}) => known.has(handle))) return false;
  const rows = await server.status();
  const total = (name: string) => rows.find((row) => row.function === name)?.total ?? 0;
  return seen.functions.some((name) => total(name) > (seen.totals.get(name) ?? 0)) || !goOn(jobs, seen);
}

/** Whether every job that was executing is still there. */
function goOn(jobs: readonly {handle: string}[], {executing}: SeenOrder): boolean {
  const still = new Set(jobs.map(({handle}) => handle));
  return executing.every((handle) => still.has(handle));
}

/** Whether a worker may be free for one of the functions. */
async function mayTakeJobs(server: GearmanServer, seen: SeenOrder): Promise<boolean> {
  for (const name of seen.functions) {
    const {able, allBusy} = await ableWorkers(server, name);
    if (able > 0 && !(allBusy && goOn(await server.jobs(), seen))) return true;
  }
  return false;
}
