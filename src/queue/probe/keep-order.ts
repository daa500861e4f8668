/**
 * Keeps the order of serial classes. Jobs return one after the other, and one that arrives in between stands before those that
 * return after it. Then all are held again and returned, those that waited first.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, GearmanTimeouts} from '../../gearman/server.ts';
import {splitFunctionName} from '../function-name.ts';
import {MOST_CONNECTIONS, oneByOne} from './held-jobs.ts';
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
    const held = await oneByOne(last.order.length).hold(server.address, last.functions, options);
    const first = last.order;
    last = {...last, ...before, order: [...new Set([...first, ...held.order()])]};
    await held.giveBack(first);
  }
}

const POLL_MS = 20;
const NOTICED_MS = 1000;

/**
 * After a return that a lost connection broke off: gearmand has all jobs back by itself, in an order that depends on it. Holds them
 * again and returns them in theirs.
 * @param options.cause why the return broke off
 * @returns what is to be said if there are too many; null if they are in order
 * @throws AtomctlError the cause, if the server does not answer any more
 */
export async function restoreOrder(
  server: GearmanServer,
  returns: readonly Pick<SeenOrder, 'functions' | 'order'>[],
  options: GearmanTimeouts & {cause: AtomctlError},
): Promise<AtomctlError | null> {
  const many = returns.filter(({order}) => order.length > MOST_CONNECTIONS);
  try {
    const handles = returns.flatMap(({order}) => order);
    await untilNoneIsHeld(server, handles);
    for (const {functions, order} of returns) {
      if (order.length === 0 || order.length > MOST_CONNECTIONS) continue;
      await refuseWhereReturnsDrop(server, 1, options);
      const held = await oneByOne(order.length).hold(server.address, functions, options);
      await held.giveBack(order);
    }
  } catch (error) {
    throw error instanceof AtomctlError ? options.cause : error;
  }
  if (many.length === 0) return null;
  const classes = many.flatMap(({functions}) => functions.map((name) => splitFunctionName(name).jobClass));
  return new AtomctlError(
    'FAILED',
    `The connection to Gearman server ${formatAddress(server.address)} was lost while atomctl returned the waiting jobs of ${classes.join(', ')}: all wait again, but their order may be different.`,
    {hint: 'If their order does not matter, you do not have to do anything.', cause: options.cause},
  );
}

/** gearmand notices the ends of connections a moment later; until then what they held seems to execute. */
async function untilNoneIsHeld(server: GearmanServer, handles: readonly string[]): Promise<void> {
  const deadline = Date.now() + NOTICED_MS;
  // One that goes on has been begun by a worker.
  while (Date.now() < deadline && (await server.statusOfHandles(handles)).some(({running}) => running))
    await sleep(POLL_MS);
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
