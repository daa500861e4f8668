/**
 * Takes waiting jobs and gives them back in their order. Gearman shows a payload only to a worker: take a job, read it,
 * return it. gearmand queues a returned job at the end, and what one connection returns in reverse. So there are two ways:
 *
 * - One connection for each job, which return them one after the other in the order of taking. No worker ever meets another
 *   order, but each job costs a connection, of which gearmand often may have no more than 1024.
 * - All jobs of a function on one connection, twice: what the first return reverses, the second reverses again. Between the two
 *   a worker that becomes free meets the reversed queue.
 *
 * Within a function and a priority the jobs that waited keep their order; a job that arrives while they are returned may
 * come before some of them (keep-order.ts mends that for serial classes). If the process is killed in between, gearmand has all jobs back, in an order that depends on it.
 */
import type {ServerAddress} from '../../gearman/address.ts';
import {NotGearman, replyFailure} from '../../gearman/failure.ts';
import type {GearmanTimeouts} from '../../gearman/server.ts';
import {connectWorker, type GrabbedJob, type WorkerConnection} from '../../gearman/worker-connection.ts';
import {type PayloadFields, readPayload} from '../payload.ts';
import {newProbeId} from './probe-id.ts';

/** A job that was taken, with what its payload says. */
export interface ProbedJob extends Omit<GrabbedJob, 'payload'>, PayloadFields {}

/** Jobs that are held: no worker gets them. */
export interface HeldJobs {
  /** In the order of the queue, within each function. */
  readonly jobs: readonly ProbedJob[];
  /** Ends some of them as failed: they are gone from the server. Calls `onEnded` as soon as that is confirmed of a job. */
  end(jobs: readonly ProbedJob[], onEnded: (job: ProbedJob) => void): Promise<void>;
  /** Holds what has come since, too, so that it stays behind the others. Ends the connections to jobs that left. */
  takeArrived(): Promise<void>;
  /** The handles of the jobs that are held, in the order in which they return. */
  order(): string[];
  /**
   * Returns the others.
   * @param first handles of jobs that return before the others, in this order; one connection for all of them keeps its order
   */
  giveBack(first?: readonly string[]): Promise<void>;
}

/** So many connections may be opened for jobs: a gearmand often may have no more than 1024. */
export const MOST_CONNECTIONS = 500;
/** The same with jobs that arrive meanwhile; more of these are left alone. */
const MOST_WITH_ARRIVALS = 600;

export interface HoldTimeouts extends GearmanTimeouts {
  /** Under which id the connections show; that of a probe if absent. */
  clientId?: string;
}

export interface WayToHold {
  /** How many returns gearmand counts for each job. */
  returns: number;
  /** @param onTaken gets each job as it is taken: if this fails, these stand behind those that were not */
  hold(
    address: ServerAddress,
    functions: readonly string[],
    options: HoldTimeouts,
    onTaken?: (job: GrabbedJob) => void,
  ): Promise<HeldJobs>;
}

/**
 * One connection for each job.
 * @param count how many jobs wait: their connections are opened before any job is held, so that a server that has too few
 *   left keeps them all
 */
export function oneByOne(count: number): WayToHold {
  return {
    returns: 1,
    async hold(address, functions, options, onTaken = () => {}) {
      const spare: WorkerConnection[] = [];
      const holding = new Map<string, WorkerConnection>();
      const jobs: ProbedJob[] = [];
      const takeWaiting = async (visit: (job: GrabbedJob) => void) => {
        const given = new GivenJobs(address);
        while (holding.size < MOST_WITH_ARRIVALS) {
          if (spare.length === 0) spare.push(await openWorker(address, options));
          const job = await spare[0]!.grab(functions);
          if (job === null) return;
          given.add(job);
          holding.set(job.handle, spare.shift()!);
          onTaken(job);
          visit(job);
        }
      };
      const held: HeldJobs = {
        jobs,
        takeArrived: () => takeWaiting(() => {}),
        order: () => [...holding.keys()],
        async end(chosen, onEnded) {
          for (const job of chosen) {
            const worker = holding.get(job.handle)!;
            await worker.fail(job.handle);
            onEnded(job);
            holding.delete(job.handle);
            spare.push(worker);
          }
        },
        giveBack(first = []) {
          const order = new Set([...first.filter((handle) => holding.has(handle)), ...holding.keys()]);
          return giveBackInTurn([...[...order].map((handle) => holding.get(handle)!), ...spare]);
        },
      };
      try {
        while (spare.length <= count) spare.push(await openWorker(address, options));
        // Jobs that arrive meanwhile are held too, so that they do not come before those that go back.
        await takeWaiting((job) => jobs.push(withoutPayload(job)));
        return held;
      } catch (error) {
        await held.giveBack();
        throw error;
      }
    },
  };
}

/** All jobs of a function on one connection. */
export const ALL_AT_ONCE: WayToHold = {
  returns: 2,
  async hold(address, functions, options, onTaken = () => {}) {
    const worker = await openWorker(address, options);
    const jobs: ProbedJob[] = [];
    let left: readonly ProbedJob[] = jobs;
    let arrived: HeldJobs | null = null;
    const holdArrived = async () => {
      arrived ??= await oneByOne(0).hold(address, functions, options);
    };
    const held: HeldJobs = {
      jobs,
      takeArrived: holdArrived,
      order: () => [...left.map(({handle}) => handle), ...(arrived?.order() ?? [])],
      async end(chosen, onEnded) {
        for (let from = 0; from < chosen.length; from += ENDED_AT_A_TIME) {
          const ending = chosen.slice(from, from + ENDED_AT_A_TIME);
          await worker.fail(...ending.map(({handle}) => handle));
          for (const job of ending) onEnded(job);
        }
        const ended = new Set(chosen);
        left = left.filter((job) => !ended.has(job));
      },
      async giveBack() {
        const again: WorkerConnection[] = [];
        let late: HeldJobs | null = null;
        try {
          await worker.giveBack();
          for (const name of new Set(left.map((job) => job.function))) {
            const own = left.filter((job) => job.function === name);
            again.push(await openWorker(address, options));
            const missing = new Set(own.map(({handle}) => handle));
            await takeThese(again.at(-1)!, {name, missing, given: new GivenJobs(address)});
          }
          // Those that come before none that returns are left alone.
          if (again.length > 0) late = await oneByOne(0).hold(address, functions, options);
          for (const each of again) await each.giveBack();
        } finally {
          for (const each of [worker, ...again]) each.close();
          await arrived?.giveBack();
          await late?.giveBack();
        }
      },
    };
    try {
      const given = new GivenJobs(address);
      await takeAll(worker, functions, (job) => {
        given.add(job);
        jobs.push(withoutPayload(job));
        onTaken(job);
      });
      return held;
    } catch (error) {
      await held.giveBack();
      throw error;
    }
  },
};

/** Few enough for the limit of a reply, if their payloads are not much longer than a log shows. */
const AT_A_TIME = 100;
/** Nothing comes back for these. */
const ENDED_AT_A_TIME = 1000;

async function takeAll(
  worker: WorkerConnection,
  functions: readonly string[],
  visit: (job: GrabbedJob) => void,
): Promise<void> {
  for (;;) {
    const jobs = await worker.grabMany(functions, AT_A_TIME);
    for (const job of jobs) visit(job);
    if (jobs.length < AT_A_TIME) return;
  }
}

/** More than any list of jobs has that atomctl reads. */
const MOST_GIVEN = 200_000;

/** The jobs that one hold was given. A server that gives a job twice, or gives without end, would be asked for ever. */
export class GivenJobs {
  readonly #address: ServerAddress;
  readonly #handles = new Set<string>();

  constructor(address: ServerAddress) {
    this.#address = address;
  }

  /** @throws AtomctlError GEARMAN_PROTOCOL if it was given before, or is one too many */
  add({handle}: Pick<GrabbedJob, 'handle'>): void {
    if (this.#handles.has(handle) || this.#handles.size === MOST_GIVEN)
      throw replyFailure(this.#address, 'GRAB_JOB_UNIQ', new NotGearman('jobs without end'));
    this.#handles.add(handle);
  }
}

/** Takes jobs until it has these; those that stand behind them stay. */
async function takeThese(
  worker: WorkerConnection,
  {name, missing, given}: {name: string; missing: Set<string>; given: GivenJobs},
): Promise<void> {
  while (missing.size > 0) {
    const count = Math.min(AT_A_TIME, missing.size);
    const jobs = await worker.grabMany([name], count);
    for (const job of jobs) {
      given.add(job);
      missing.delete(job.handle);
    }
    if (jobs.length < count) return;
  }
}

/** A payload may be long, and there may be many: only what it says of the row is kept. */
function withoutPayload({payload, ...job}: GrabbedJob): ProbedJob {
  return {...job, ...readPayload(payload)};
}

/** A connection that gearmand has accepted; a connected socket does not prove this. */
async function openWorker(address: ServerAddress, options: HoldTimeouts): Promise<WorkerConnection> {
  const worker = await connectWorker(address, {
    ...options,
    clientId: options.clientId ?? newProbeId(Date.now()),
  });
  await worker.giveBack().catch((error: unknown) => {
    worker.close();
    throw error;
  });
  return worker;
}

/** Each confirmed before the next. If the server stops answering, closing the connections returns the jobs. */
async function giveBackInTurn(workers: readonly WorkerConnection[]): Promise<void> {
  try {
    for (const worker of workers) {
      await worker.giveBack();
      worker.close();
    }
  } finally {
    for (const worker of workers) worker.close();
  }
}
