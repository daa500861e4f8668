/** The waiting jobs of a site, held for longer than a probe: those that wait now and those that arrive. */
import {isSerial} from '../../atom/job-classes.ts';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {ServerLock} from '../../gearman/lock.ts';
import {PACKET, request} from '../../gearman/packet.ts';
import type {FunctionStatus, GearmanServer} from '../../gearman/server.ts';
import {connectWorker, type GrabbedJob, type WorkerConnection} from '../../gearman/worker-connection.ts';
import type {Queryable} from '../../mysql/database.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {readPayload} from '../../queue/payload.ts';
import {MOST_CONNECTIONS, type ProbedJob} from '../../queue/probe/held-jobs.ts';
import {type HeldWaiting, holdWaiting} from '../../queue/probe/hold-waiting.ts';
import {claimsToBeProbe, newHoldId} from '../../queue/probe/probe-id.ts';
import {takeProbeLock} from '../../queue/probe/probe-lock.ts';
import {refuseOtherServers} from '../../queue/probe/retry-limit.ts';
import {rePrefix} from '../../queue/saved/re-prefix.ts';
import type {SavedJob} from '../../queue/saved/saved-queue.ts';
import {ownerOf, queueName} from '../../queue/snapshot.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import {runningLogLengths} from '../model/running-jobs.ts';
import {failureOf} from '../model/worker-control.ts';
import {
  findJobs,
  judgeRow,
  type Outcome,
  type RestoreAction,
  refuseOldRows,
  rowsOf,
} from '../save/restore-plan.ts';

export interface HeldQueueOptions extends QueueOptions {
  database: Queryable;
  /**
   * The workers of serial classes will be stopped: their jobs are held also while each of these workers has a job. Otherwise one that
   * becomes free would be handed a younger job than those that are held.
   */
  workersStop: boolean;
  /**
   * Called when the connections are open, and before anything is held: what a server forgets from then on is noticed
   * (requireConnected). What it throws ends the hold.
   */
  checkFirst: () => Promise<void>;
}

/** Waiting jobs of a class that were not taken: see HeldQueueOptions.workersStop. */
export interface LeftJobs {
  jobClass: string;
  count: number;
}

/** What is held of one server. */
interface ServerHold {
  server: GearmanServer;
  /** null before it is taken. */
  lock: ServerLock | null;
  /** Has the abilities of the site's workers and takes no job: AtoM accepts no job that no worker can do. */
  abilities: WorkerConnection;
  /** What waited at first, and then what arrived, in this order. */
  held: HeldWaiting[];
  /** The connections are gone: gearmand was restarted, or has given back what was held. */
  lost: boolean;
}

/** What became of jobs under another prefix. */
export interface Moved {
  /** Submitted under the site's prefix. */
  moved: number;
  /** Only ended under the other one: they were moved before, or their rows have ended. */
  dropped: number;
  /** A sentence for each that stayed. */
  left: string[];
}

const NONE: ReadonlySet<string> = new Set();
/** So many are moved to another prefix at a time. */
const MOVED_AT_A_TIME = 50;

export class HeldQueue {
  readonly #options: HeldQueueOptions;
  readonly #id: string;
  readonly #holds: ServerHold[];
  /** By keyOf, in the order in which they were taken. */
  readonly #saved = new Map<string, SavedJob>();

  private constructor(options: HeldQueueOptions, id: string, holds: ServerHold[]) {
    this.#options = options;
    this.#id = id;
    this.#holds = holds;
  }

  /**
   * Takes the lock of every server, under which no other atomctl holds jobs, and registers the abilities that the site's workers
   * have now. Holds nothing yet.
   * @throws AtomctlError what checkFirst throws; if a server does not answer; REFUSED if one is not gearmand, or if another atomctl has its lock;
   *   INTERRUPTED. What was taken is released.
   */
  static async open(options: HeldQueueOptions): Promise<HeldQueue> {
    const {servers, timeoutSeconds, signal} = options;
    const id = newHoldId(Date.now());
    const holds: ServerHold[] = [];
    const queue = new HeldQueue(options, id, holds);
    try {
      for (const connection of servers) {
        if (!('server' in connection)) throw connection.error;
        const {server, address} = connection;
        await refuseOtherServers(server);
        const abilities = await connectWorker(address, {timeoutSeconds, clientId: id});
        holds.push({server, lock: null, abilities, held: [], lost: false});
      }
      await options.checkFirst();
      for (const hold of holds) {
        const {server, abilities} = hold;
        const names = (await server.status()).filter((row) => row.workers > 0 && queue.#isOwn(row));
        hold.lock = await takeProbeLock(server.address, {timeoutSeconds, signal, clientId: id});
        await abilities.exchange(
          names.map((row) => request(PACKET.CAN_DO, row.function)),
          'CAN_DO',
        );
      }
      return queue;
    } catch (error) {
      await queue.close();
      throw error;
    }
  }

  /** Every job that was taken, in the order in which it was; under the prefix that it was moved to. */
  get jobs(): SavedJob[] {
    return [...this.#saved.values()];
  }

  /** The same, without those of a server that may have forgotten them. */
  get jobsBack(): SavedJob[] {
    const lost = new Set(
      this.#holds.flatMap((hold) => (hold.lost ? formatAddress(hold.server.address) : [])),
    );
    return this.jobs.filter(({server}) => !lost.has(server));
  }

  /** Under which id its connections show. */
  get id(): string {
    return this.#id;
  }

  /** What it holds now: the ids of the rows, and how many jobs of each queue. */
  heldJobs(): {ids: ReadonlySet<number>; counts: ReadonlyMap<string, number>} {
    const ids = new Set<number>();
    const counts = new Map<string, number>();
    for (const {server, held} of this.#holds) {
      for (const {function: name, jobId} of held.flatMap((each) => each.jobs)) {
        const queue = queueName(server.address, name);
        counts.set(queue, (counts.get(queue) ?? 0) + 1);
        if (jobId !== null) ids.add(jobId);
      }
    }
    return {ids, counts};
  }

  /** A server with jobs of this was restarted, or its connections were lost. */
  get isLost(): boolean {
    return this.#holds.some(({lost}) => lost);
  }

  /**
   * Takes what waits. @returns what still waits, by class: of serial classes whose workers may be handed one
   * @throws AtomctlError REFUSED if a job could be dropped as it returns; as requireConnected and GearmanServer's requests do
   */
  async takeWaiting(): Promise<LeftJobs[]> {
    await this.requireConnected();
    const left = new Map<string, number>();
    for (const hold of this.#holds) {
      for (const {function: name, total, running} of hold.lost ? [] : await this.#takeFrom(hold)) {
        const {jobClass} = splitFunctionName(name);
        if (total > running) left.set(jobClass, (left.get(jobClass) ?? 0) + total - running);
      }
    }
    return [...left].map(([jobClass, count]) => ({jobClass, count}));
  }

  /**
   * As takeWaiting while the command runs: a server that fails or was restarted is not asked again. If very many arrive, the last
   * stay in the queue, where only a worker of the site would find them.
   */
  async takeArrived(): Promise<void> {
    for (const hold of this.#holds) {
      if (hold.lost || connectionsOf(hold) > MOST_TO_HOLD || (await noticeLoss(hold))) continue;
      try {
        await this.#takeFrom(hold);
      } catch (error) {
        if (!(error instanceof AtomctlError)) throw error;
        // Where retries are limited, what arrives is left alone.
        if (error.code !== 'REFUSED') hold.lost = true;
      }
    }
  }

  /** @returns the functions that had waiting jobs, as they are now */
  async #takeFrom(hold: ServerHold): Promise<FunctionStatus[]> {
    const {server} = hold;
    const {timeoutSeconds} = this.#options;
    const waiting = (await server.status()).filter((row) => row.total > row.running && this.#isOwn(row));
    if (waiting.length === 0) return [];
    const names: string[] = [];
    for (const row of waiting) if (await this.#mayTake(hold, row)) names.push(row.function);
    if (names.length > 0) {
      const logLengths = await runningLogLengths(this.#options.database).catch(
        () => new Map<number, number>(),
      );
      const taken = new Map<string, GrabbedJob>();
      const onTaken = (job: GrabbedJob) => void taken.set(job.handle, job);
      const held = await holdWaiting(server, names, {timeoutSeconds, clientId: this.#id, onTaken});
      // A cancelled entry counts as waiting, and is not handed out.
      if (held.jobs.length > 0) hold.held.push(held);
      else await held.giveBack();
      for (const job of held.jobs)
        this.#saved.set(keyOf(server, job), {
          ...savedFrom(taken.get(job.handle)!, server),
          logLength: logLengths.get(job.jobId ?? 0) ?? null,
        });
    }
    const after = await server.status();
    const own = new Set(waiting.map((row) => row.function));
    return after.filter((row) => own.has(row.function));
  }

  /** A worker that is free for a serial class would be handed a younger job than those that are held. */
  async #mayTake(hold: ServerHold, row: FunctionStatus): Promise<boolean> {
    if (!isSerial(splitFunctionName(row.function).jobClass)) return true;
    const able = (await this.#workersOf(hold.server)).filter(({functions}) =>
      functions.includes(row.function),
    );
    return able.length === 0 || (this.#options.workersStop && (await this.#runningOn(hold)) >= able.length);
  }

  /**
   * Makes sure that no server was restarted: it would not know what workers execute, and have forgotten what is held.
   * @throws AtomctlError if a connection is lost
   */
  async requireConnected(): Promise<void> {
    for (const {abilities} of this.#holds) await abilities.exchange([], 'ECHO_REQ');
  }

  /** How many jobs workers execute. */
  async executing(): Promise<number> {
    let sum = 0;
    for (const hold of this.#holds) sum += await this.#runningOn(hold);
    return sum;
  }

  async #runningOn({server, held}: ServerHold): Promise<number> {
    const rows = (await server.status()).filter((row) => this.#isOwn(row));
    const ours = held.reduce((sum, {jobs}) => sum + jobs.length, 0);
    return Math.max(0, rows.reduce((sum, {running}) => sum + running, 0) - ours);
  }

  /** How many workers of the site are connected. */
  async workers(): Promise<number> {
    const ids = new Set<string>();
    for (const {server} of this.#holds)
      for (const {id, functions} of await this.#workersOf(server))
        if (functions.some((name) => this.#isOwn({function: name}))) ids.add(id);
    return ids.size;
  }

  async #workersOf(server: GearmanServer) {
    return (await server.connections()).filter(({id}) => !claimsToBeProbe(id));
  }

  #isOwn({function: name}: Pick<FunctionStatus, 'function'>): boolean {
    return ownerOf(splitFunctionName(name), this.#options.prefixes, NONE) === 'site';
  }

  /**
   * Submits what is held under another prefix with this one, and ends it there. A move that was broken off leaves jobs under both:
   * such a job, and one whose row has ended, is only ended. One of which neither is known stays where it is.
   * @throws AtomctlError REFUSED if the database may be a replica, and nothing was moved; as GearmanServer's requests do; for the database
   */
  async move(prefix: string, moved: Moved): Promise<void> {
    await refuseOldRows(this.#options);
    for (const hold of this.#holds) {
      // What it has forgotten cannot be ended there: it is submitted later, see isLost.
      await noticeLoss(hold);
      if (hold.lost) continue;
      for (const each of hold.held) {
        const others = each.jobs.filter(
          ({function: name}) => (splitFunctionName(name).prefix ?? '') !== prefix,
        );
        for (let from = 0; from < others.length; from += MOVED_AT_A_TIME)
          await this.#moveSome(hold, {each, some: others.slice(from, from + MOVED_AT_A_TIME)}, prefix, moved);
      }
    }
  }

  async #moveSome(
    {server}: ServerHold,
    {each, some}: {each: HeldWaiting; some: readonly ProbedJob[]},
    prefix: string,
    moved: Moved,
  ): Promise<void> {
    const saved = some.map((job) => this.#saved.get(keyOf(server, job))!);
    const submits = saved.map((job) => rePrefix(job, prefix));
    const actions = new Map<ProbedJob, RestoreAction>();
    const outcomes = await this.#outcomes(saved, submits);
    for (const [index, {action, message}] of outcomes.entries()) {
      actions.set(some[index]!, action);
      if (action === 'submitted') await server.submitBackground(submits[index]!);
      else if (!isElsewhere(action)) moved.left.push(`Job ${some[index]!.jobId} was not moved. ${message}`);
    }
    const ending = some.filter((job) => actions.get(job) === 'submitted' || isElsewhere(actions.get(job)!));
    await each.end(ending, (job) => {
      const isMoved = actions.get(job) === 'submitted';
      if (isMoved) this.#saved.set(keyOf(server, job), submits[some.indexOf(job)]!);
      else this.#saved.delete(keyOf(server, job));
      moved[isMoved ? 'moved' : 'dropped'] += 1;
    });
  }

  /** What a restore would do with each job if it were not held. @param submits the same jobs as they would be submitted */
  async #outcomes(saved: readonly SavedJob[], submits: readonly SavedJob[]): Promise<Outcome[]> {
    const found: (Outcome | null)[] = saved.map(() => null);
    for (const {server, lost} of this.#holds) {
      if (lost) continue;
      for (const [index, outcome] of (await findJobs(server, submits)).entries()) found[index] ??= outcome;
    }
    const rows = await rowsOf(this.#options, saved);
    return saved.map((job, index) => {
      const {jobId} = readPayload(job.payload);
      // A key that is not AtoM's is that of the held job itself.
      const known = submits[index]!.unique === job.unique ? null : found[index];
      if (known) return known;
      return jobId === null ? NAMES_NO_ROW : judgeRow(job, rows.get(jobId));
    });
  }

  /**
   * Returns what is held, in its order. AtoM can still submit jobs, until close.
   * @returns what went wrong: then gearmand has the jobs back by itself, or has been restarted
   */
  async giveBack(): Promise<AtomctlError[]> {
    const problems: AtomctlError[] = [];
    for (const hold of this.#holds) {
      const loss = await noticeLoss(hold);
      // One that was only slow gives them back by itself.
      const isForgotten = loss !== null && loss.code !== 'GEARMAN_TIMEOUT';
      for (const held of hold.held) {
        try {
          // A server that was restarted answers again, and has forgotten them.
          if (!(await held.giveBackAlone(isForgotten))) hold.lost = true;
          problems.push(...held.refused.filter(({code}) => code === 'FAILED'));
        } catch (error) {
          if (!(error instanceof AtomctlError)) throw error;
          if (!hold.lost) problems.push(error);
          hold.lost = true;
        }
      }
      // Between two returns of very many jobs nothing else notices a restart.
      if (hold.held.length > 0) await noticeLoss(hold);
      hold.held = [];
    }
    return problems;
  }

  /** A server that was restarted since has forgotten what was returned. */
  async noticeLosses(): Promise<void> {
    for (const hold of this.#holds) await noticeLoss(hold);
  }

  /** Returns the locks and ends the connections. */
  async close(): Promise<void> {
    for (const {lock, abilities} of this.#holds) {
      await lock?.release();
      abilities.close();
    }
  }
}

/** A gearmand often may have no more than 1024 connections. */
const MOST_TO_HOLD = 800;

function connectionsOf({held}: ServerHold): number {
  return held.reduce((sum, {jobs}) => sum + (jobs.length > MOST_CONNECTIONS ? 1 : jobs.length) + 1, 0);
}

/** That it has no row tells nothing of it. */
const NAMES_NO_ROW: Outcome = {action: 'submitted', message: ''};

/** The held entry is one too many. */
function isElsewhere(action: RestoreAction): boolean {
  return action === 'waiting' || action === 'executing' || action === 'ended';
}

/** A restarted gearmand gives its handles again, to other jobs. */
function keyOf({address}: GearmanServer, job: Pick<ProbedJob, 'handle' | 'function' | 'unique'>): string {
  return [formatAddress(address), job.handle, job.function, job.unique].join(' ');
}

/** @returns why its gearmand is not, or perhaps not, the one any more that the hold began with; null if it is */
async function noticeLoss(hold: ServerHold): Promise<AtomctlError | null> {
  const failure = await failureOf(hold.abilities.exchange([], 'ECHO_REQ').then(() => {}));
  hold.lost ||= failure !== null;
  return failure;
}

/** gearmand tells no priority of a held job; AtoM gives the normal one. */
function savedFrom({function: name, unique, payload}: GrabbedJob, server: GearmanServer) {
  return {
    server: formatAddress(server.address),
    function: name,
    unique,
    priority: 'normal' as const,
    payload,
  };
}
