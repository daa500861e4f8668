import {setTimeout as sleep} from 'node:timers/promises';
import {isSerial, mayBeFunctionOf} from '../../atom/job-classes.ts';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import {worthAnotherAttempt} from '../../gearman/failure.ts';
import type {ServerLock} from '../../gearman/lock.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import type {Queryable} from '../../mysql/database.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import type {ProbedJob} from '../../queue/probe/held-jobs.ts';
import {type HeldWaiting, holdWaiting} from '../../queue/probe/hold-waiting.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import {takeProbeLock} from '../../queue/probe/probe-lock.ts';
import {refuseOtherServers} from '../../queue/probe/retry-limit.ts';
import {ownerOf, type SeenFunction, takeSnapshot} from '../../queue/snapshot.ts';
import {isJobOfRow, type QueueOptions} from '../live/queue-payloads.ts';

/** A row that is about to go. */
export interface GoingRow {
  id: number;
  name: string;
  objectId: number | null;
  /** Gearman may have its job. */
  queued: boolean;
}

/** Workers find no job while a queue is held, so it is not held for longer than this at a time. */
const WINDOW_MS = 5000;
const POLL_MS = 20;

/** The waiting jobs of one server, held. */
interface Hold {
  held: HeldWaiting;
  ended: Set<ProbedJob>;
  hasSerial: boolean;
}

type Chosen = (job: ProbedJob) => boolean;

/**
 * Takes the Gearman jobs of rows out of the queue, batch by batch, right before the rows go. The site's waiting jobs are held
 * meanwhile, so that no worker begins one, and the others are returned in their order. A server that does not answer, or from
 * which no job can be taken without losing others, keeps its jobs, and that is reported: a job without a row fails as soon as a
 * worker begins it.
 */
export class QueueWindow {
  /** How many jobs were taken out. */
  removed = 0;
  /** Their ids, as the payloads have them. */
  readonly taken = new Set<number>();
  /** A cleared row may still have its job in Gearman, or a job without a row could not be taken out. */
  incomplete = false;
  /** Some jobs of these functions were executing as the queue was held. */
  mayExecute = false;
  readonly waitsEnded: ReadonlySet<number>;
  readonly #options: QueueOptions;
  readonly #names: Set<string>;
  #problems = new Map<string, AtomctlError>();
  #holds: Hold[] = [];
  /** Of the servers of which jobs are held, or have just been taken out: nobody calls their rows lost meanwhile. */
  #locks: ServerLock[] = [];
  #openedAt: number | null = null;

  /**
   * @param names of the rows: only functions that may hold their jobs are held
   * @param waitsEnded rows that do not say Running, and whose jobs wait all the same
   */
  constructor(options: QueueOptions, names: readonly string[], waitsEnded: ReadonlySet<number> = new Set()) {
    this.#options = options;
    this.waitsEnded = waitsEnded;
    this.#names = new Set(names);
  }

  /** Why jobs had to be left, one sentence each. */
  get problems(): string[] {
    return [...this.#problems.keys()];
  }

  /** Whether jobs are held. */
  get isOpen(): boolean {
    return this.#openedAt !== null;
  }

  /** Takes out the jobs of these rows. If Gearman can have none of them, the queue is not held for them. */
  async takeJobsOf(rows: readonly GoingRow[]): Promise<void> {
    const running = rows.flatMap((row) => (row.queued ? [row.name] : []));
    const isOver = this.#openedAt === null || performance.now() - this.#openedAt > WINDOW_MS;
    // Somebody has set a row to Running again.
    if (isOver || running.some((name) => !this.#names.has(name))) await this.close();
    for (const name of running) this.#names.add(name);
    if (this.#openedAt === null && running.length === 0) return;
    const byId = new Map(rows.map((row) => [row.id, row]));
    const mayHold = ({jobClass}: SeenFunction) =>
      [...this.#names].some((name) => mayBeFunctionOf(name, jobClass));
    await this.#takeOut(mayHold, async () => (job) => {
      const row = byId.get(job.jobId ?? 0);
      return row !== undefined && isJobOfRow(job, row);
    });
    if (this.#problems.size > 0 && running.length > 0) this.incomplete = true;
    // A worker that becomes free would be handed a serial job that comes now, and not an older one that is held.
    if (this.#holds.some(({hasSerial}) => hasSerial)) await this.#giveBack();
  }

  /** Takes out the site's waiting jobs that have no row. */
  async takeJobsWithoutRows(database: Queryable): Promise<void> {
    await this.close();
    const all = () => true;
    await this.#takeOut(all, async () => {
      const waiting = this.#holds.flatMap(({held, ended}) => held.jobs.filter((job) => !ended.has(job)));
      const ids = [...new Set(waiting.flatMap(({jobId}) => jobId ?? []))];
      const rows = ids.length === 0 ? [] : await namesOf(database, ids);
      const names = new Map(rows.map(({id, name}) => [id, name ?? '']));
      return (job) => {
        const name = names.get(job.jobId ?? 0);
        return name === undefined || !mayBeFunctionOf(name, splitFunctionName(job.function).jobClass);
      };
    });
    if (this.#problems.size > 0) this.incomplete = true;
  }

  /** Returns what is held. */
  async close(): Promise<void> {
    await this.#giveBack();
    const locks = this.#locks;
    this.#locks = [];
    for (const lock of locks) await lock.release();
  }

  async #giveBack(): Promise<void> {
    const holds = this.#holds;
    this.#holds = [];
    this.#openedAt = null;
    for (const {held} of holds) {
      await this.#reporting(() => held.giveBack());
      for (const error of held.refused) this.#report(error);
    }
  }

  /** Ends what is chosen of the waiting jobs. If a connection is lost, the waiting jobs are held again, once. */
  async #takeOut(isWanted: (seen: SeenFunction) => boolean, choose: () => Promise<Chosen>): Promise<void> {
    const earlier = new Map(this.#problems);
    await this.#attempt(isWanted, choose);
    const problems = [...this.#problems].flatMap(([message, error]) => (earlier.has(message) ? [] : error));
    if (!(await worthAnotherAttempt(problems))) return;
    await this.close();
    if (!(await this.#isGivenBack())) return;
    this.#problems = earlier;
    await this.#attempt(isWanted, choose);
  }

  /** Waits until the servers have noticed the end of every connection that held jobs: until then these seem to be executing. */
  async #isGivenBack(): Promise<boolean> {
    const {servers, timeoutSeconds} = this.#options;
    const answering = servers.flatMap((connection) => ('server' in connection ? [connection.server] : []));
    const deadline = Date.now() + timeoutSeconds * 1000;
    try {
      for (; Date.now() < deadline; await sleep(POLL_MS)) {
        const connections = await Promise.all(answering.map((server) => server.connections()));
        if (!connections.flat().some(({id}) => claimsToBeProbe(id))) return true;
      }
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
    }
    return false;
  }

  async #attempt(isWanted: (seen: SeenFunction) => boolean, choose: () => Promise<Chosen>): Promise<void> {
    if (this.#openedAt === null) await this.#open(isWanted);
    await this.#end(await choose());
  }

  async #open(isWanted: (seen: SeenFunction) => boolean): Promise<void> {
    this.#openedAt = performance.now();
    const {functions, missing} = await this.#functions(isWanted);
    for (const {error} of missing) this.#report(error);
    for (const server of new Set(functions.map((seen) => seen.server))) {
      const names = functions.filter((seen) => seen.server === server).map((seen) => seen.function);
      await this.#reporting(() => this.#hold(server, names));
    }
  }

  async #functions(
    isWanted: (seen: SeenFunction) => boolean,
  ): Promise<{functions: SeenFunction[]; missing: {error: AtomctlError}[]}> {
    const {servers, prefixes} = this.#options;
    const snapshot = await takeSnapshot(servers, {connections: true, nowMs: Date.now()});
    const foreign = await prefixes.foreign(snapshot);
    // A prefix that is not known may be that of a copy of this site, whose jobs have the same ids and names.
    const isOurs = (seen: SeenFunction) => ownerOf(seen, prefixes, foreign) === 'site';
    // What another atomctl holds waits in truth: its end is waited for.
    const mayWait = ({server, total, running}: SeenFunction) =>
      total > running || (total > 0 && snapshot.probing.has(formatAddress(server.address)));
    const ours = snapshot.functions.filter((seen) => isOurs(seen) && isWanted(seen));
    this.mayExecute = ours.some(({running}) => running > 0);
    return {functions: ours.filter(mayWait), missing: snapshot.missing};
  }

  async #hold(server: GearmanServer, names: readonly string[]): Promise<void> {
    await refuseOtherServers(server);
    this.#locks.push(await takeProbeLock(server.address, this.#options));
    const held = await holdWaiting(server, names, this.#options);
    for (const error of held.refused) this.#report(error);
    const functions = [...new Set(held.jobs.map((job) => job.function))];
    const hasSerial = functions.some((name) => isSerial(splitFunctionName(name).jobClass));
    this.#holds.push({held, ended: new Set(), hasSerial});
  }

  async #end(chosen: Chosen): Promise<void> {
    for (const {held, ended} of this.#holds) {
      const jobs = held.jobs.filter((job) => !ended.has(job) && chosen(job));
      await this.#reporting(() =>
        held.end(jobs, (job) => {
          ended.add(job);
          this.removed += 1;
          if (job.jobId !== null) this.taken.add(job.jobId);
        }),
      );
    }
  }

  async #reporting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      this.#report(error);
    }
  }

  #report(error: AtomctlError): void {
    this.#problems.set(error.message, error);
  }
}

function namesOf(database: Queryable, ids: readonly number[]) {
  return database.query<{id: number; name: string | null}>('SELECT id, name FROM job WHERE id IN (?)', [ids]);
}
