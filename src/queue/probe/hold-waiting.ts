import {setTimeout as sleep} from 'node:timers/promises';
import {isSerial} from '../../atom/job-classes.ts';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {FunctionStatus, GearmanServer} from '../../gearman/server.ts';
import type {GrabbedJob} from '../../gearman/worker-connection.ts';
import {splitFunctionName} from '../function-name.ts';
import {
  ALL_AT_ONCE,
  type HeldJobs,
  type HoldTimeouts,
  MOST_CONNECTIONS,
  oneByOne,
  type ProbedJob,
  type WayToHold,
} from './held-jobs.ts';
import {keepOrder, lookAtQueue, restoreOrder, type SeenOrder} from './keep-order.ts';
import {refuseWhereReturnsDrop} from './retry-limit.ts';
import {ableWorkers, executingHandles} from './workers-able.ts';

export interface HeldWaiting extends Pick<HeldJobs, 'jobs' | 'end'> {
  /**
   * Returns the others.
   * @param isFirst of a serial class: before the others of it
   */
  giveBack(isFirst?: (job: ProbedJob) => boolean): Promise<void>;
  /**
   * Returns the others, and leaves alone what has come since: for a caller that holds that, too.
   * @param isForgotten gearmand was restarted: what has their handles now are other jobs, whose order is not touched
   * @returns false if a connection was lost: gearmand has them back by itself, or was restarted and knows them no more
   */
  giveBackAlone(isForgotten: boolean): Promise<boolean>;
  /**
   * One REFUSED for each function that was left alone: AtoM runs its jobs one at a time, oldest first, and a worker could
   * be handed one in the wrong order. After the return, also one FAILED if a lost connection has changed the order.
   */
  refused: AtomctlError[];
  /** The functions that were left alone, each with the reason. */
  left: readonly LeftFunction[];
}

/** A function whose waiting jobs were not held. */
export interface LeftFunction {
  function: string;
  reason: AtomctlError;
}

export interface HoldOptions extends HoldTimeouts {
  /** Gets each job with its payload as it is taken. */
  onTaken?: (job: GrabbedJob) => void;
}

/**
 * Holds every job of these functions that waits on a server, however many. The caller has the probe lock and gives them back
 * whatever happens.
 * @throws AtomctlError REFUSED if a returned job could be lost; or as GearmanServer's requests do
 */
export async function holdWaiting(
  server: GearmanServer,
  functions: readonly string[],
  options: HoldOptions,
): Promise<HeldWaiting> {
  const wanted = new Set(functions);
  const waiting = (await server.status()).filter(
    (row) => wanted.has(row.function) && row.total > row.running,
  );
  const {groups, left} = await planGroups(server, waiting);
  const refused = left.map(({reason}) => reason);
  const parts: Part[] = [];
  const taken: {functions: readonly string[]; order: string[]}[] = [];
  const giveBack = async (first: readonly string[] = []) => {
    await Promise.all(parts.map(({held, isSerial}) => held.giveBack(isSerial ? first : [])));
  };
  try {
    if (groups.length > 0) {
      await refuseWhereReturnsDrop(server, Math.max(...groups.map(({way}) => way.returns)), options);
    }
    for (const {functions: names, way, isSerial} of groups) {
      const order: string[] = [];
      taken.push({functions: names, order});
      const held = await way.hold(server.address, names, options, (job) => {
        order.push(job.handle);
        options.onTaken?.(job);
      });
      parts.push({held, functions: names, isSerial: isSerial && way !== ALL_AT_ONCE});
    }
  } catch (error) {
    await giveBack().catch(() => {});
    if (error instanceof AtomctlError) await restoreOrder(server, taken, {...options, cause: error});
    throw error;
  }
  const jobs = parts.flatMap(({held}) => held.jobs);
  const giveBackInOrder = async (
    first: readonly string[],
    orderOf: (part: Part) => string[],
    isForgotten = false,
  ) => {
    const orders = parts.map((part) => ({functions: part.functions, order: orderOf(part)}));
    try {
      await giveBack(first);
      return true;
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      if (isForgotten) return false;
      const problem = await restoreOrder(server, orders, {...options, cause: error});
      if (problem !== null) refused.push(problem);
      return false;
    }
  };
  return {
    jobs,
    refused,
    left,
    giveBackAlone: (isForgotten) => giveBackInOrder([], ({held}) => held.order(), isForgotten),
    async giveBack(isFirst = () => false) {
      const serial = parts.find((part) => part.isSerial);
      const first = serial?.held.jobs.filter(isFirst).map(({handle}) => handle) ?? [];
      const orderOf = ({held, isSerial}: Part) => [...new Set([...(isSerial ? first : []), ...held.order()])];
      let seen: SeenOrder | null = null;
      await despiteFailure(async () => {
        if (parts.every(({held}) => held.order().length === 0)) return;
        // A job that has come since may have been returned by a worker that died.
        await refuseWhereReturnsDrop(server, 1, options);
        const before = serial === undefined ? null : await lookAtQueue(server, serial.held.order());
        for (const {held} of parts) await held.takeArrived();
        if (serial !== undefined && before !== null)
          seen = {...before, functions: serial.functions, order: orderOf(serial)};
      }).catch((error) => giveBack(first).then(() => Promise.reject(error)));
      if (!(await giveBackInOrder(first, orderOf))) return;
      await despiteFailure(async () => {
        if (seen !== null) await keepOrder(server, seen, options);
      });
    },
    async end(chosen, onEnded) {
      for (const {held} of parts) {
        const own = new Set(held.jobs);
        await held.end(
          chosen.filter((job) => own.has(job)),
          onEnded,
        );
      }
    },
  };
}

/** Jobs that are held in one way. */
interface Part {
  held: HeldJobs;
  functions: readonly string[];
  /** Whether they keep their order among those that arrive. */
  isSerial: boolean;
}

/** What comes while jobs are returned may then stand before them: that is better than not to return them. */
async function despiteFailure(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
  }
}

/** Functions whose jobs are held in one way. */
interface Group {
  functions: string[];
  way: WayToHold;
  isSerial: boolean;
}

async function planGroups(
  server: GearmanServer,
  waiting: readonly FunctionStatus[],
): Promise<{groups: Group[]; left: LeftFunction[]}> {
  const left: LeftFunction[] = [];
  const serial: FunctionStatus[] = [];
  for (const row of waiting.filter(isSerialFunction)) {
    const reason = await reasonAgainst(server, row);
    if (reason === null) serial.push(row);
    else left.push({function: row.function, reason});
  }
  const others = waiting.filter((row) => !isSerialFunction(row));
  const mayBeOneByOne = countOf([...serial, ...others]) <= MOST_CONNECTIONS;
  const groups = [serial, others]
    .filter((rows) => rows.length > 0)
    .map((rows) => ({
      functions: rows.map((row) => row.function),
      way:
        mayBeOneByOne || (rows === serial && countOf(serial) <= MOST_CONNECTIONS)
          ? oneByOne(countOf(rows))
          : ALL_AT_ONCE,
      isSerial: rows === serial,
    }));
  return {groups, left};
}

function isSerialFunction(row: FunctionStatus): boolean {
  return isSerial(splitFunctionName(row.function).jobClass);
}

function countOf(rows: readonly FunctionStatus[]): number {
  return rows.reduce((sum, {total, running}) => sum + total - running, 0);
}

/** A worker that has had its job for so long is not expected to end it within the moment of a probe. */
const STEADY_MS = 1000;

/**
 * Why the waiting jobs of a serial function may not be held; null if no worker takes one meanwhile: none is connected for it, or
 * each has a job that goes on.
 */
async function reasonAgainst(server: GearmanServer, row: FunctionStatus): Promise<AtomctlError | null> {
  const before = await ableWorkers(server, row.function);
  if (before.able === 0) return null;
  if (countOf([row]) > MOST_CONNECTIONS) {
    return refusal(
      server,
      row,
      `more than ${MOST_CONNECTIONS} of them wait, and a worker for them is connected`,
      'Stop the worker first.',
    );
  }
  const executing = await executingHandles(server);
  await sleep(STEADY_MS);
  const after = await ableWorkers(server, row.function);
  const still = new Set(await executingHandles(server));
  const isSteady = before.allBusy && after.allBusy && executing.every((handle) => still.has(handle));
  return isSteady
    ? null
    : refusal(
        server,
        row,
        'a worker for them is free, or was free a moment ago',
        'Stop the worker first, or try again while it is busy.',
      );
}

function refusal(server: GearmanServer, row: FunctionStatus, why: string, advice: string): AtomctlError {
  const {jobClass} = splitFunctionName(row.function);
  return new AtomctlError(
    'REFUSED',
    `The waiting jobs of ${jobClass} on Gearman server ${formatAddress(server.address)} were not probed: AtoM runs them in their order, and ${why}, so a worker could get one too early. ${advice}`,
    {hint: 'They were not changed.'},
  );
}
