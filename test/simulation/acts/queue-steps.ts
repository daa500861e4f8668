/** What atomctl does to Gearman when it acts, step by step, as the files of src/queue say. */
import {isSerial, mayBeFunctionOf} from '../../../src/atom/job-classes.ts';
import type {AtomctlError} from '../../../src/errors.ts';
import type {EndedJobs} from '../../../src/jobs/live/ended-jobs.ts';
import {placesOf, stateIn} from '../../../src/jobs/live/live-state.ts';
import {isJobOfRow, type UnreadQueue} from '../../../src/jobs/live/queue-payloads.ts';
import type {FoundJob, FoundJobs} from '../../../src/jobs/live/unique-keys.ts';
import type {Job} from '../../../src/jobs/model/job.ts';
import type {NamedJob} from '../../../src/jobs/model/worker-control.ts';
import type {CancelOutcome} from '../../../src/queue/cancel-job.ts';
import type {ProbedJob} from '../../../src/queue/probe/held-jobs.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Connection, Entry, Gearmand} from '../gearmand.ts';
import {loggedKeyOf, qualityOf, queueOf} from '../observe.ts';
import {
  type Act,
  loadJobs,
  type Probed,
  type Report,
  refused,
  requireAlive,
  requireUp,
  type Step,
  type Steps,
} from './act.ts';
import {has} from './act-world.ts';

/** `--timeout`: how long a lock is waited for. */
const LOCK_MS = 5 * SECOND;
/** src/queue/hold-waiting.ts, STEADY_MS. */
const STEADY_MS = 1 * SECOND;
/** In place of MOST_CONNECTIONS, if the server has few. */
const FEW_CONNECTIONS = 2;

/** src/queue/probe-lock.ts. @throws AtomctlError REFUSED, INTERRUPTED */
export function* takeProbeLock(act: Act, server: Gearmand, {uninterrupted = false} = {}): Steps<void> {
  const {world} = act;
  const deadline = world.clock.nowMs + LOCK_MS;
  for (;;) {
    if (act.aborted && !uninterrupted)
      throw refused('Interrupted before the probe of the queue; nothing was changed.');
    requireUp(server);
    if (!world.lockedByOther(server) && !world.probeLocks.has(server)) {
      world.probeLocks.add(server);
      act.locks.add(server);
      yield {did: `has the probe lock of ${server.address}`};
      return;
    }
    if (world.clock.nowMs > deadline) throw refused('Another atomctl is probing the queue.');
    yield {did: 'waits for the probe lock', untilMs: world.clock.nowMs + SECOND};
  }
}

export function releaseProbeLock(act: Act, server: Gearmand): void {
  act.world.probeLocks.delete(server);
  act.locks.delete(server);
}

/**
 * src/queue/cancel-job.ts: GET_STATUS_UNIQUE, SUBMIT_JOB_EPOCH, cancel, GET_STATUS. A handle is that of one run of the
 * server.
 */
export function* cancelByKey(
  act: Act,
  server: Gearmand,
  {name, key}: {name: string; key: string},
  {executingToo, onAsked}: {executingToo: boolean; onAsked?: () => void},
): Steps<CancelOutcome> {
  yield {did: `asks ${server.address} for the key of ${key}`};
  requireUp(server);
  const before = server.find(name, key);
  if (!before) return 'absent';
  const ran = before.holder !== null;
  if (ran && !executingToo) return 'executing';
  yield {did: 'asks for its handle'};
  requireUp(server);
  const entry = server.find(name, key) ?? submitLater(server, name, key);
  const run = act.world.stops.get(server);
  onAsked?.();
  yield {did: 'cancels it'};
  requireUp(server);
  const sameRun = () => act.world.stops.get(server) === run && has(server, entry);
  if (!sameRun()) return 'absent';
  act.cancel(server, entry);
  yield {did: 'asks whether a worker was handed it'};
  if (!server.up) return 'cancelled';
  if (sameRun() && entry.holder !== null) return 'cancelled';
  return ran ? 'absent' : 'removed';
}

/** src/jobs/live/still-executing.ts. */
export function* stillExecuting(report: Report, ids: ReadonlySet<number>, now: Report): Steps<Set<number>> {
  const still = new Set<number>();
  for (const id of ids) {
    const places = placesOf(report, id);
    let hasEnded = false;
    for (const {server: at, function: name, unique, running: ran} of places) {
      const server = at as unknown as Gearmand;
      yield {did: `asks whether job ${id} goes on`};
      requireUp(server);
      const entry = server.find(name, unique);
      if ((entry?.holder ?? null) !== null) still.add(id);
      if (ran && entry === undefined) hasEnded = true;
    }
    if (!hasEnded && stateIn(now, id) === 'executing') still.add(id);
  }
  return still;
}

/** SUBMIT_JOB_EPOCH of a key that the server does not have: nobody is handed it, and it is cancelled in the next step. */
function submitLater(server: Gearmand, name: string, key: string): Entry {
  const entry = server.submit(name, key, {site: 'other', jobId: 0, name: '', objectId: null, upload: null});
  entry.ignored = true;
  return entry;
}

/** The functions of the site's own prefixes that have jobs, by server, of the servers that answer. */
export function siteFunctions(
  {view, careless}: Act,
  chosen: (seen: {total: number; running: number; jobClass: string}, server: Gearmand) => boolean,
): Map<Gearmand, string[]> {
  const found = new Map<Gearmand, string[]>();
  for (const server of view.servers) {
    if (!server.up) continue;
    const names = server
      .status()
      .filter(
        ({function: name, ...counts}) =>
          (careless.everyPrefix || view.prefixes.has(name.slice(0, name.lastIndexOf('-') + 1))) &&
          chosen({...counts, jobClass: classOf(name)}, server),
      )
      .map((row) => row.function);
    if (names.length > 0) found.set(server, names);
  }
  return found;
}

const BETWEEN_MS = 1 * SECOND;

/** src/jobs/live/ended-jobs.ts: the jobs that Gearman executes although their rows have ended. They are asked for twice. */
export function* executingEnded(act: Act, jobs: readonly Job[]): Steps<FoundJobs> {
  return executingOf(yield* askTwice(act, yield* endedRows(act, jobs)));
}

/** Both what executes and what waits, from the same answers. */
export function* endedInGearman(act: Act, jobs: readonly Job[]): Steps<EndedJobs> {
  const found = yield* askTwice(act, yield* endedRows(act, jobs));
  const mayWait = [...mayWaitOf(found)];
  const hasIgnored = (server: Gearmand) => server.entries().some(({ignored}) => ignored);
  const isProved = ({server}: FoundJob) => !hasIgnored(server as unknown as Gearmand);
  return {
    executing: executingOf(found),
    waiting: new Map(mayWait.filter(([, places]) => places.every(isProved))),
    unclear: new Map(mayWait.filter(([, places]) => !places.every(isProved))),
  };
}

/** src/jobs/clear/ended-rows.ts: those that may wait, by their keys or since no running row explains a count. */
export function* mayWaitEnded(act: Act, jobs: readonly Job[]): Steps<ReadonlySet<number>> {
  const ended = jobs.filter(({status}) => status !== 'running');
  if (ended.length === 0) return new Set();
  const rows = yield* endedRows(act, jobs);
  yield {did: 'asks for the keys of ended rows that may wait'};
  const known = mayWaitOf(placesOfRows(act, rows));
  yield {did: 'compares the counts of Gearman with the running rows'};
  const classes = unexplainedClasses(act);
  const others = ended.filter(({name}) => classes.some((jobClass) => mayBeFunctionOf(name, jobClass)));
  return new Set([...known.keys(), ...others.map(({id}) => id)]);
}

function unexplainedClasses(act: Act): string[] {
  const totals = new Map<string, number>();
  siteFunctions(act, ({total, jobClass}) => {
    totals.set(jobClass, (totals.get(jobClass) ?? 0) + total);
    return true;
  });
  const running = [...act.world.visibleRows().values()].filter(({status}) => status === 'running');
  return [...totals].flatMap(([jobClass, total]) =>
    total > running.filter(({job}) => mayBeFunctionOf(job.name, jobClass)).length ? jobClass : [],
  );
}

function* askTwice(act: Act, rows: readonly Row[]): Steps<FoundJobs> {
  if (rows.length === 0) return new Map();
  yield {did: 'asks for the keys of ended rows'};
  const first = placesOfRows(act, rows);
  if (executingOf(first).size === 0) return first;
  yield {did: 'asks for them again in a second', untilMs: act.world.clock.nowMs + BETWEEN_MS};
  return placesOfRows(
    act,
    rows.filter(({id}) => first.has(id)),
  );
}

function executingOf(found: FoundJobs): FoundJobs {
  return new Map([...found].filter(([, places]) => places.some(({running}) => running)));
}

function mayWaitOf(found: FoundJobs): FoundJobs {
  return new Map([...found].filter(([, places]) => places.every(({running}) => !running)));
}

function* endedRows({world}: Act, jobs: readonly Job[]): Steps<Row[]> {
  const ended = jobs.filter(({status}) => status !== 'running').map(({id}) => id);
  if (ended.length === 0) return [];
  yield {did: 'reads the logs of ended rows'};
  return ended.flatMap((id) => {
    const row = world.visibleRows().get(id);
    return row === undefined || row.status === 'running' || qualityOf(row, world.own) === 'none' ? [] : [row];
  });
}

/** The newest rows of the site that have ended and execute. */
export function* newestExecutingEnded(act: Act): Steps<NamedJob[]> {
  const rows = [...act.world.visibleRows().values()].filter(({status}) => status !== 'running');
  const jobs = loadJobs(
    act,
    rows.map(({id}) => id),
  );
  const found = yield* executingEnded(act, jobs);
  return jobs.filter(({id}) => found.has(id)).map(({id, name}) => ({id, name}));
}

/** Where the servers have them, by their keys. */
function placesOfRows(act: Act, rows: readonly Row[]): FoundJobs {
  const found: FoundJobs = new Map();
  for (const [server, names] of siteFunctions(act, ({total}) => total > 0)) {
    if (act.world.lockedByOther(server)) continue;
    for (const row of rows) {
      for (const name of names.filter((each) => mayBeFunctionOf(row.job.name, classOf(each)))) {
        const entry = server.find(name, loggedKeyOf(name, row));
        if (!entry) continue;
        const queue = queueOf(server, name);
        const place = {
          ...{queue, running: entry.holder !== null, function: name, unique: entry.key},
          server: server as unknown as FoundJob['server'],
        };
        found.set(row.id, [...(found.get(row.id) ?? []), place]);
      }
    }
  }
  return found;
}

export function classOf(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1);
}

/** isJobOfRow reads a function's prefix as 32 hex digits; that of the model is readable. */
export function isJobOf(
  act: Act,
  {function: name, payload}: Entry,
  row: {id: number; name: string; objectId: number | null},
): boolean {
  if (payload.jobId !== row.id) return false;
  if (act.careless.everyPrefix || act.careless.idAlone) return true;
  const job = {function: `${'0'.repeat(32)}-${classOf(name)}`, ...payload} as unknown as ProbedJob;
  return isJobOfRow(job, row);
}

interface HeldPart {
  connection: Connection;
  entries: Entry[];
}

/** Held jobs of one server: src/queue/hold-waiting.ts. */
export class Hold {
  readonly refused: AtomctlError[] = [];
  /** The functions that were left alone. */
  readonly left: UnreadQueue[] = [];
  private readonly parts: {functions: readonly string[]; atOnce: boolean; held: HeldPart[]}[] = [];
  readonly ended = new Set<Entry>();
  /** See Act.disconnect. */
  private mostRetries: number | null = null;
  /** A connection broke before it gave back what it held. */
  private isLost = false;

  constructor(
    readonly act: Act,
    readonly server: Gearmand,
  ) {}

  get jobs(): Entry[] {
    return this.parts.flatMap(({held}) => held.flatMap(({entries}) => entries));
  }

  /** Holds every waiting job of the functions. Gives back what it holds if that fails. @throws AtomctlError */
  *take(functions: readonly string[]): Steps<void> {
    const {act, server} = this;
    yield {did: `asks ${server.address} what waits`};
    requireUp(server);
    const waiting = functions.filter((name) => server.waitingIn(name).length > 0);
    const groups = yield* this.plan(waiting);
    if (groups.length === 0) return;
    const most = Math.max(0, ...server.entries().map(({ignored, retries}) => (ignored ? 0 : retries)));
    const returns = Math.max(...groups.map(({atOnce}) => (atOnce ? 2 : 1)));
    yield {did: 'tries the limit of retries with a test job'};
    requireUp(server);
    if (!act.careless.ignoresRetryLimit) this.mostRetries = most;
    if (this.mostRetries !== null && server.retryLimit > 0 && most + returns >= server.retryLimit)
      throw refused('The server limits retries: a probe could drop jobs.');
    try {
      for (const group of groups) {
        const part = {...group, held: [] as HeldPart[]};
        this.parts.push(part);
        if (group.atOnce && !act.careless.atOnce) act.witness.orderIsLost('all at once');
        yield* this.grab(part);
      }
    } catch (error) {
      yield* this.returnAll();
      throw error;
    }
  }

  private *grab(part: {functions: readonly string[]; atOnce: boolean; held: HeldPart[]}): Steps<void> {
    const {act, server} = this;
    for (;;) {
      yield {did: 'takes a waiting job'};
      requireUp(server);
      const last = part.held.at(-1);
      const connection = part.atOnce && last ? last.connection : act.connect(server, part.functions);
      requireAlive(server, connection);
      const entry = server.grab(connection);
      if (part.atOnce && last) {
        if (entry) last.entries.push(entry);
      } else part.held.push({connection, entries: entry ? [entry] : []});
      act.held = Math.max(act.held, this.jobs.length);
      if (!entry) return;
    }
  }

  private *plan(waiting: readonly string[]): Steps<{functions: string[]; atOnce: boolean}[]> {
    const {server, act} = this;
    const serial: string[] = [];
    for (const name of waiting.filter((each) => isSerial(classOf(each)))) {
      if (act.careless.atOnce || (yield* this.mayHoldSerial(name))) serial.push(name);
      else {
        const reason = refused(`The waiting jobs of ${classOf(name)} were not probed.`);
        this.refused.push(reason);
        this.left.push({server: server.address, jobClass: classOf(name), reason});
      }
    }
    const others = waiting.filter((name) => !isSerial(classOf(name)));
    const count = (names: readonly string[]) =>
      names.reduce((sum, name) => sum + server.waitingIn(name).length, 0);
    const mayBeOneByOne =
      !act.careless.atOnce && (!act.spec.fewConnections || count([...serial, ...others]) <= FEW_CONNECTIONS);
    return [
      {functions: serial, atOnce: act.careless.atOnce === true},
      {functions: others, atOnce: !mayBeOneByOne},
    ].filter(({functions}) => functions.length > 0);
  }

  /** True if no worker can do the jobs, or each that can has a job, the same for a second. */
  private *mayHoldSerial(name: string): Steps<boolean> {
    const {server, act} = this;
    const before = this.ableWorkers(name);
    if (before.able === 0) return true;
    if (act.spec.fewConnections && server.waitingIn(name).length > FEW_CONNECTIONS) return false;
    const executing = server.entries().filter(({holder}) => holder !== null);
    yield {did: 'looks again in a second', untilMs: act.world.clock.nowMs + STEADY_MS};
    requireUp(server);
    const after = this.ableWorkers(name);
    const still = executing.every((entry) => has(server, entry) && entry.holder !== null);
    return before.allBusy && after.allBusy && still;
  }

  private ableWorkers(name: string): {able: number; allBusy: boolean} {
    const connections = this.server.connections.filter(({id}) => !id.startsWith('atomctl-'));
    const able = connections.filter(({functions}) => functions.includes(name));
    const theirs = new Set(able.flatMap(({functions}) => functions));
    const running = this.server
      .status()
      .filter((row) => theirs.has(row.function))
      .reduce((sum, row) => sum + row.running, 0);
    const mayRunThem = connections.filter(({functions}) => functions.some((each) => theirs.has(each)));
    return {able: able.length, allBusy: running >= mayRunThem.length};
  }

  /** Ends some of the jobs. @throws AtomctlError */
  *end(chosen: (entry: Entry) => boolean, onEnded: (entry: Entry) => void): Steps<void> {
    for (const {held} of this.parts) {
      for (const {connection, entries} of held) {
        for (const entry of entries) {
          if (this.ended.has(entry) || !chosen(entry)) continue;
          yield {did: `ends job ${entry.payload.jobId}`};
          requireAlive(this.server, connection);
          this.act.end(this.server, connection, entry);
          this.ended.add(entry);
          onEnded(entry);
        }
      }
    }
  }

  /** Holds what has come since, so that it stays behind the others. */
  private *takeArrived(): Steps<void> {
    const {server} = this;
    if (this.jobs.every((entry) => this.ended.has(entry)) || !server.up) return;
    const most = Math.max(0, ...server.entries().map(({ignored, retries}) => (ignored ? 0 : retries)));
    yield {did: 'tries the limit of retries again'};
    if (server.retryLimit > 0 && most + 1 >= server.retryLimit) {
      this.act.witness.arrivalsStay();
      return;
    }
    this.act.witness.givesBack();
    for (const part of this.parts) if (!part.atOnce) yield* attempt(this.grab(part));
  }

  /** Returns the others: by one connection after the other, or by one, twice. */
  *giveBack(first?: (entry: Entry) => boolean): Steps<void> {
    yield* this.takeArrived();
    if (first) this.putFirst(first);
    yield* this.returnAll();
  }

  private putFirst(first: (entry: Entry) => boolean): void {
    for (const part of this.parts) {
      if (part.atOnce) continue;
      const isFirst = ({entries}: HeldPart) => entries.some(first);
      part.held = [...part.held.filter(isFirst), ...part.held.filter((each) => !isFirst(each))];
      this.act.witness.putFirst(
        this.server,
        part.held.flatMap(({entries}) => entries),
      );
    }
  }

  /**
   * Returns the others, and leaves alone what has come since.
   * @returns false if the server has them back by itself, or was restarted
   */
  *giveBackAlone(): Steps<boolean> {
    yield* this.returnAll();
    return !this.isLost;
  }

  private *returnAll(): Steps<void> {
    const {act, server} = this;
    for (const part of this.parts) {
      const {held, atOnce, functions} = part;
      part.held = [];
      act.witness.givesBack();
      for (const {connection} of held) {
        if (connection.held.length > 0 || connection.broken) yield {did: 'gives a job back'};
        this.isLost ||= connection.broken;
        act.disconnect(server, connection, this.mostRetries);
      }
      const isEmpty = held.every(({entries}) => entries.every((entry) => this.ended.has(entry)));
      this.isLost ||= !server.up;
      if (!atOnce || isEmpty || act.careless.atOnce || !server.up) continue;
      yield {did: 'takes all jobs again'};
      this.isLost ||= !server.up;
      if (!server.up) continue;
      const again = act.connect(server, functions);
      while (server.grab(again)) {}
      yield {did: 'gives them back again'};
      this.isLost ||= again.broken;
      act.disconnect(server, again, this.mostRetries);
    }
  }
}

/** A job that was held, and where. */
export interface Taken {
  entry: Entry;
  queue: string;
}

export interface TakeOptions {
  /** Names of the rows whose jobs are looked for. */
  names: readonly string[];
  take: (entry: Entry, server: Gearmand) => boolean;
  /** Called once, with all that were taken, while the servers that they were on are locked. */
  settle: (removed: readonly Taken[], unread: readonly UnreadQueue[]) => Steps<void>;
}

/** takeFromSite and probeQueue: ends what `take` chooses, under the lock of each server. Never fails for a server. */
export function* takeFromSite(
  act: Act,
  {names, take, settle}: TakeOptions,
): Steps<{waiting: Probed[]; problems: AtomctlError[]; unread: UnreadQueue[]}> {
  yield {did: 'asks the servers for their functions'};
  const waiting: Probed[] = [];
  const problems: AtomctlError[] = [];
  const taken: Taken[] = [];
  const unreadServer = ({address}: Gearmand, reason: AtomctlError) => ({
    server: address,
    jobClass: null,
    reason,
  });
  const unread: UnreadQueue[] = act.view.servers.flatMap((server) =>
    server.up ? [] : [unreadServer(server, refused(`${server.address} cannot be reached.`))],
  );
  const busy = siteFunctions(
    act,
    ({total, jobClass}) => total > 0 && names.some((name) => mayBeFunctionOf(name, jobClass)),
  );
  const probeNext = function* ([next, ...others]: readonly [Gearmand, string[]][]): Steps<void> {
    if (next === undefined) {
      if (taken.length > 0) yield* settle(taken, unread);
      return;
    }
    const [server, functions] = next;
    let goesOn = true;
    const goOn = function* (left: readonly UnreadQueue[]) {
      goesOn = false;
      unread.push(...left);
      yield* probeNext(others);
    };
    const uninterrupted = taken.length > 0;
    const notHeld: UnreadQueue[] = [];
    const onRemoved = function* (removed: readonly Entry[], left: readonly UnreadQueue[]) {
      taken.push(...removed.map((entry) => ({entry, queue: queueOf(server, entry.function)})));
      yield* goOn(left);
    };
    const failed = yield* attempt(
      probeServer(act, server, {functions, take, onRemoved, waiting, problems, notHeld, uninterrupted}),
    );
    if (failed) {
      problems.push(failed);
      unread.push(unreadServer(server, failed));
    }
    if (goesOn) yield* goOn(notHeld);
  };
  yield* probeNext([...busy]);
  return {waiting, problems, unread};
}

export function* probeServer(
  act: Act,
  server: Gearmand,
  {
    functions,
    take,
    onRemoved,
    waiting,
    problems,
    uninterrupted,
    first,
    notHeld,
  }: Pick<TakeOptions, 'take'> & {
    functions: readonly string[];
    onRemoved: (removed: readonly Entry[], left: readonly UnreadQueue[]) => Steps<void>;
    waiting: Probed[];
    problems: AtomctlError[];
    uninterrupted: boolean;
    /** True for a job of a serial class that goes back before the others of it. */
    first?: (entry: Entry) => boolean;
    /** Gets the functions that were left alone. */
    notHeld?: UnreadQueue[];
  },
): Steps<void> {
  requireUp(server);
  if (!server.status().some(({function: name, total}) => total > 0 && functions.includes(name))) return;
  yield* takeProbeLock(act, server, {uninterrupted});
  const removed: Entry[] = [];
  let failure: unknown = null;
  const hold = new Hold(act, server);
  try {
    yield* hold.take(functions);
    try {
      const chosen = new Set(hold.jobs.filter((entry) => take(entry, server)));
      yield* hold.end(
        (entry) => chosen.has(entry),
        (entry) => removed.push(entry),
      );
      const left = hold.jobs.filter((entry) => !removed.includes(entry));
      waiting.push(...left.map((entry) => ({queue: queueOf(server, entry.function), entry, server})));
      problems.push(...hold.refused);
      notHeld?.push(...hold.left);
    } finally {
      yield* hold.giveBack(first);
    }
  } catch (error) {
    failure = error;
  }
  if (removed.length > 0) yield* onRemoved(removed, hold.left);
  releaseProbeLock(act, server);
  if (failure !== null) throw failure;
}

/** Runs steps that may fail; the failure that is to be expected, or null. */
export function* attempt(steps: Generator<Step, void, void>): Steps<AtomctlError | null> {
  try {
    yield* steps;
    return null;
  } catch (error) {
    if (error instanceof Error && error.name === 'AtomctlError') return error as AtomctlError;
    throw error;
  }
}
