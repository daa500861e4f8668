/** jobs:clear, step by step: src/jobs/clear. */
import {isSerial, mayBeFunctionOf} from '../../../src/atom/job-classes.ts';
import {AtomctlError, EXIT} from '../../../src/errors.ts';
import {clearExitStatus, countElsewhere, type SiteCleared} from '../../../src/jobs/clear/clear.ts';
import {executingJobs, placesOf, stateIn} from '../../../src/jobs/live/live-state.ts';
import {anotherBegan, mayHaveBegun} from '../../../src/jobs/live/still-executing.ts';
import {
  eachOnce,
  goOnAllTheTime,
  type Interruptible,
  MOST_PLANS,
  reasonAgainstInterruption,
} from '../../../src/jobs/model/worker-control.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Entry, Gearmand} from '../gearmand.ts';
import {type Act, changeRow, liveStates, loadJobs, type Report, refused, type Steps} from './act.ts';
import {
  attempt,
  cancelByKey,
  classOf,
  executingEnded,
  Hold,
  isJobOf,
  mayWaitEnded,
  newestExecutingEnded,
  releaseProbeLock,
  siteFunctions,
  stillExecuting,
  takeProbeLock,
} from './queue-steps.ts';
import {type UnitStop, whileStopped, workersOf} from './units.ts';

/** src/jobs/clear/queue-window.ts. */
const WINDOW_MS = 5 * SECOND;

/** What a clear will delete. */
interface Plan {
  matches: (row: Row) => boolean;
  /** Rows are locked and read again before they go. */
  filtered: boolean;
  /** Rows that matched at the question; others stay. */
  ids: readonly number[];
  /** Those of them that also matched whenever the clear came to them. */
  matched: Set<number>;
}

export interface Cleared {
  cleared: number;
  queueRemoved: number;
  problems: string[];
  exit: number;
  /** What it was to do and has not done, in words. */
  left: string[];
}

export function* clear(act: Act): Steps<Cleared> {
  const plan = planClear(act);
  const {spec} = act;
  const mayInterrupt = yield* agreedInterruptions(act, plan);
  yield {did: 'reads what it will clear, and is told to go on'};
  if (spec.keepQueue)
    return yield* clearAll(act, plan, {elsewhere: 0, executing: 0, cancelAsked: false, workersAsked: false});
  const report = yield* liveStates(act);
  const ids = candidates(act, plan)
    .filter(({status}) => status === 'running')
    .map(({id}) => id);
  const elsewhere = countElsewhere(report, ids);
  const ended = new Set((yield* executingEnded(act, loadJobs(act, idsOf(candidates(act, plan))))).keys());
  const {workers, executing, cancelled, touched} = yield* prepareStop(act, report, {
    ids,
    ended,
    mayInterrupt,
  });
  const before = {elsewhere, cancelAsked: touched.size > 0};
  if (workers === null) {
    const seen = {...before, executing: executing.size + ended.size, workersAsked: false};
    return yield* clearAll(act, plan, seen);
  }
  const {result} = yield* whileStopped(act, workers, function* () {
    const seen = {...before, executing: ended.size, workersAsked: true};
    if (!act.aborted) return yield* clearStopped(act, plan, seen, ids);
    if (cancelled.size === 0) return yield* clearAll(act, plan, seen);
    // Interrupted, only the rows go whose jobs are gone from Gearman already.
    act.aborted = false;
    const some = {...plan, ids: plan.ids.filter((id) => cancelled.has(id))};
    const done = yield* clearAll(act, some, seen, {allQueued: false});
    act.aborted = true;
    return {...done, exit: EXIT.interrupted};
  });
  return result;
}

/** Other jobs of the workers to stop that were agreed to: with a question, those that it named. src/jobs/clear/preview.ts. */
function* agreedInterruptions(act: Act, plan: Plan): Steps<Interruptible> {
  const {interrupt, keepQueue, restartWorker} = act.spec;
  if (interrupt === 'all') return 'all';
  if (interrupt === 'none' || keepQueue || !restartWorker || plan.ids.length === 0) return new Set();
  const report = yield* liveStates(act);
  const ids = idsOf(candidates(act, plan).filter(({status}) => status === 'running'));
  const executing = new Set(ids.filter((id) => stateIn(report, id) === 'executing'));
  const ended = yield* executingEnded(act, loadJobs(act, idsOf(candidates(act, plan))));
  const workers = yield* workersToStop(act, report, {executing, ended: new Set(ended.keys())});
  return new Set(workers?.interrupts.map(({id}) => id));
}

function* workersToStop(
  act: Act,
  report: Report,
  {executing, ended}: {executing: ReadonlySet<number>; ended: ReadonlySet<number>},
): Steps<UnitStop | null> {
  if (!act.spec.restartWorker || executing.size === 0) return null;
  const goBack = [...executing].some((id) => placesOf(report, id).length === 0);
  const others = yield* newestExecutingEnded(act);
  const all = [...executingJobs(report), ...others.filter(({id}) => !ended.has(id))];
  return workersOf(act, executing, eachOnce(all), {goBack});
}

function idsOf(rows: readonly Row[]): number[] {
  return rows.map(({id}) => id);
}

function* clearStopped(act: Act, plan: Plan, seen: Seen, ids: readonly number[]): Steps<Cleared> {
  const now = yield* liveStates(act);
  const still = ids.filter((id) => stateIn(now, id) === 'executing');
  return yield* clearAll(act, plan, {...seen, executing: seen.executing + still.length});
}

/** Jobs to clear: their rows say Running, or have ended while they execute. */
interface Clearing {
  ids: readonly number[];
  ended: ReadonlySet<number>;
  mayInterrupt: Interruptible;
}

interface Prepared {
  workers: UnitStop | null;
  executing: ReadonlySet<number>;
  cancelled: ReadonlySet<number>;
  touched: ReadonlySet<number>;
}

function* prepareStop(act: Act, report: Report, clearing: Clearing): Steps<Prepared> {
  const [cancelled, touched] = [new Set<number>(), new Set<number>()];
  try {
    return yield* cancelAndAgree(act, {...clearing, report, cancelled, touched});
  } catch (error) {
    if (!(error instanceof AtomctlError) || touched.size === 0) throw error;
    throw new AtomctlError(error.exitStatus === EXIT.refused ? 'FAILED' : error.code, error.message);
  }
}

function* cancelAndAgree(
  act: Act,
  {
    report: first,
    ids,
    ended,
    mayInterrupt,
    cancelled,
    touched,
  }: Clearing & {report: Report; cancelled: Set<number>; touched: Set<number>},
): Steps<Prepared> {
  let report = first;
  for (let times = 0; times < MOST_PLANS; times += 1) {
    const executing = new Set(ids.filter((id) => stateIn(report, id) === 'executing'));
    const workers = yield* workersToStop(act, report, {executing, ended});
    if (workers === null) return {workers, executing, cancelled, touched};
    for (const id of [...ids, ...ended]) act.named.add(id);
    const against = act.careless.asksNobody
      ? null
      : reasonAgainstInterruption(workers as never, mayInterrupt);
    if (against !== null) throw against;
    for (const {id} of workers.interrupts)
      if (mayInterrupt === 'all' || mayInterrupt.has(id)) act.agreed.add(id);
    for (const id of executing) {
      const {outcome} = yield* changeRow(act, {id, seen: null, to: 'deleted'}, {rehearsal: true});
      if (outcome === 'failed') throw refused('Jobs cannot be deleted.');
    }
    yield* cancelExecuting(act, report, executing, {cancelled, touched});
    const now = yield* liveStates(act);
    const still = yield* stillExecuting(report, executing, now);
    for (const id of executing) if (!still.has(id)) cancelled.delete(id);
    const hasOther =
      mayHaveBegun(now, workers, executing) &&
      anotherBegan(now, workers, {
        named: new Set([...ids, ...ended]),
        endedNow: yield* newestExecutingEnded(act),
      });
    if (act.careless.asksNobody || (!hasOther && still.size === executing.size))
      return {workers, executing, cancelled, touched};
    report = now;
  }
  throw goOnAllTheTime();
}

function* cancelExecuting(
  act: Act,
  report: Report,
  ids: ReadonlySet<number>,
  {cancelled, touched}: {cancelled: Set<number>; touched: Set<number>},
): Steps<void> {
  for (const id of ids) {
    if (cancelled.has(id)) continue;
    for (const place of placesOf(report, id)) {
      const server = place.server as unknown as Gearmand;
      const key = {name: place.function, key: place.unique};
      const onAsked = () => void touched.add(id);
      const outcome = yield* cancelByKey(act, server, key, {executingToo: true, onAsked});
      if (outcome !== 'absent') cancelled.add(id);
    }
  }
}

function planClear(act: Act): Plan {
  const {world, spec} = act;
  const rows = [...world.visibleRows().values()];
  const names = new Set(rows.map(({job}) => job.name));
  const name = [...names][(spec.picks[0] ?? 0) % Math.max(names.size, 1)];
  const ids = new Set(spec.picks.map((pick) => rows[pick % Math.max(rows.length, 1)]?.id));
  const wanted: Record<typeof spec.filter, (row: Row) => boolean> = {
    everything: () => true,
    inactive: ({status}) => status !== 'running',
    running: ({status}) => status === 'running',
    ended: ({status}) => status === 'error',
    name: ({job}) => job.name === name,
    ids: ({id}) => ids.has(id),
  };
  const matches = wanted[spec.filter];
  const matching = idsOf(rows.filter(matches)).sort((one, other) => one - other);
  const unbegun = rows.filter(({status, log}) => status === 'running' && log.length === 0);
  act.unbegun = new Set(idsOf(unbegun.filter(matches)));
  const filtered = spec.filter !== 'everything' && spec.filter !== 'ids';
  return {matches, filtered, ids: matching, matched: new Set(matching)};
}

function failed(message: string): AtomctlError {
  return new AtomctlError('DATABASE_BUSY', message);
}

/** Those that match, without those that a worker began after the question. */
function candidates(act: Act, {matches, ids}: Pick<Plan, 'matches' | 'ids'>): Row[] {
  const rows = act.world.visibleRows();
  return ids.flatMap((id) => rows.get(id) ?? []).filter((row) => matches(row) && !hasBegun(act, row));
}

function hasBegun({unbegun, careless}: Act, {id, log}: Row): boolean {
  return !careless.clearsBegun && unbegun.has(id) && log.length > 0;
}

/** What was seen before the clear. */
interface Seen {
  elsewhere: number;
  executing: number;
  cancelAsked: boolean;
  workersAsked: boolean;
}

function* clearAll(
  act: Act,
  plan: Plan,
  {elsewhere, executing, cancelAsked, workersAsked}: Seen,
  {allQueued = act.spec.allQueued} = {},
): Steps<Cleared> {
  const {spec} = act;
  const names = candidates(act, plan).flatMap(({status, job}) => (status === 'running' ? [job.name] : []));
  const ended = spec.keepQueue ? [] : loadJobs(act, idsOf(candidates(act, plan)));
  const window = spec.keepQueue ? null : new Window(act, new Set(names), yield* mayWaitEnded(act, ended));
  const result = {cleared: 0, interrupted: false, failure: null as SiteCleared['failure']};
  let unchangeable = null;
  try {
    result.failure = yield* attempt(clearBatches(act, plan, window, result));
    const isUntouched = result.cleared + (window?.removed ?? 0) === 0 && !workersAsked && !cancelAsked;
    if (result.failure?.code === 'REFUSED' && isUntouched) unchangeable = result.failure;
    else if (allQueued && window !== null && result.failure === null) {
      if (act.aborted) result.interrupted = true;
      else yield* window.takeJobsWithoutRows();
    }
  } finally {
    yield* window?.close() ?? [];
  }
  if (unchangeable !== null) throw unchangeable;
  const queueIncomplete = window?.incomplete === true || elsewhere > 0;
  return {
    cleared: result.cleared,
    queueRemoved: window?.removed ?? 0,
    problems: [
      ...(window?.problems ?? []),
      ...(elsewhere > 0 ? ['Gearman may have jobs elsewhere.'] : []),
      ...(executing > 0 ? ['Workers go on with some of them.'] : []),
      ...(result.failure === null ? [] : [result.failure.message]),
    ],
    exit: clearExitStatus({
      ...result,
      queueIncomplete,
      queueRemoved: window?.removed ?? 0,
      queueExecuting: executing,
      workersAsked,
      cancelAsked,
    } as SiteCleared),
    left: [...rowsLeft(act, plan), ...(spec.keepQueue ? [] : jobsLeft(act))],
  };
}

/** Rows that matched all the time. */
function rowsLeft(act: Act, plan: Plan): string[] {
  return candidates(act, plan)
    .filter(({id}) => plan.matched.has(id))
    .map(({id}) => `row ${id}`);
}

/** Jobs of Act.waitedAtEnd under the site's own prefix, on a server that was asked. */
function jobsLeft({view, waitedAtEnd}: Act): string[] {
  return view.servers.flatMap((server) =>
    server
      .entries()
      .filter((entry) => waitedAtEnd.has(entry) && !entry.ignored)
      .filter(({function: name}) => view.prefixes.has(name.slice(0, name.lastIndexOf('-') + 1)))
      .map(({payload}) => `the Gearman job of ${payload.jobId}`),
  );
}

function* clearBatches(
  act: Act,
  plan: Plan,
  window: Window | null,
  result: {cleared: number; interrupted: boolean},
): Steps<void> {
  const {world, spec} = act;
  for (let start = 0; ; ) {
    if (act.aborted) {
      result.interrupted = true;
      return;
    }
    yield {did: 'reads the next batch'};
    if (start >= plan.ids.length) return;
    const ids = plan.ids.slice(start, start + spec.batchSize);
    start += ids.length;
    const batch = candidates(act, {...plan, ids});
    for (const id of ids) if (!batch.some((row) => row.id === id)) plan.matched.delete(id);
    if (batch.length === 0) continue;
    for (const {id, status} of batch) if (status !== 'running') act.readEnded.add(id);
    if (window !== null) {
      const isTaken = window.isOpen || batch.some((row) => window.mayHave(row));
      for (const {id} of isTaken ? batch : batch.slice(0, 1)) {
        const {outcome} = yield* changeRow(act, {id, seen: null, to: 'deleted'}, {rehearsal: true});
        if (outcome === 'failed') throw refused('Jobs cannot be deleted.');
      }
      for (const {id} of batch) act.named.add(id);
      yield* window.takeJobsOf(batch);
      const mayBegin = batch.some(({id}) => act.unbegun.has(id) && !window.taken.has(id));
      if (window.mayExecute && mayBegin)
        yield {did: 'waits a second', untilMs: world.clock.nowMs + 1 * SECOND};
    }
    for (const {id} of batch) act.named.add(id);
    yield {did: `deletes the rows ${batch.map(({id}) => id).join(', ')}`};
    if (world.setup.replica) throw failed('The server is read-only.');
    if (spec.rowFailsAt !== null && act.steps >= spec.rowFailsAt) throw failed('A row is locked.');
    for (const {id} of batch) {
      const row = world.row(id);
      const isKept = row && hasBegun(act, row) && window?.taken.has(id) !== true;
      if (!row || isKept || (plan.filtered && !plan.matches(row))) {
        plan.matched.delete(id);
        continue;
      }
      act.write(id, 'deleted');
      result.cleared += 1;
    }
    if (start >= plan.ids.length) return;
    if (spec.pauseSeconds === 0) continue;
    if (window) yield* window.close();
    yield {did: 'pauses', untilMs: world.clock.nowMs + spec.pauseSeconds * SECOND};
  }
}

/** src/jobs/clear/queue-window.ts. */
class Window {
  removed = 0;
  readonly taken = new Set<number>();
  mayExecute = false;
  incomplete = false;
  readonly problems: string[] = [];
  private holds: Hold[] = [];
  private locks: Gearmand[] = [];
  private openedMs: number | null = null;

  constructor(
    private readonly act: Act,
    private readonly names: Set<string>,
    readonly waitsEnded: ReadonlySet<number>,
  ) {}

  get isOpen(): boolean {
    return this.openedMs !== null;
  }

  *takeJobsOf(rows: readonly Row[]): Steps<void> {
    const running = rows.flatMap((row) => (this.mayHave(row) ? [row.job.name] : []));
    const isOver = this.openedMs === null || this.act.world.clock.nowMs - this.openedMs > WINDOW_MS;
    if (isOver || running.some((name) => !this.names.has(name))) yield* this.close();
    for (const name of running) this.names.add(name);
    if (this.openedMs === null) {
      if (running.length === 0) return;
      yield* this.open((jobClass) => [...this.names].some((name) => mayBeFunctionOf(name, jobClass)));
    }
    const byId = new Map(rows.map(({id, job, objectId}) => [id, {id, name: job.name, objectId}]));
    yield* this.end((entry) => {
      const row = byId.get(entry.payload.jobId);
      return row !== undefined && isJobOf(this.act, entry, row);
    });
    if (this.problems.length > 0 && running.length > 0) this.incomplete = true;
    // No serial job is held while others arrive.
    const held = this.holds.flatMap(({jobs}) => jobs);
    if (held.some(({function: name}) => isSerial(classOf(name)))) yield* this.giveBack();
  }

  /** Gearman may have its job. */
  mayHave({id, status}: Row): boolean {
    return status === 'running' || this.waitsEnded.has(id);
  }

  *takeJobsWithoutRows(): Steps<void> {
    yield* this.close();
    yield* this.open(() => true);
    yield {did: 'asks which of the held jobs have a row'};
    const {world} = this.act;
    yield* this.end((entry) => {
      const row = world.row(entry.payload.jobId);
      const isWithout = row === undefined || !mayBeFunctionOf(row.job.name, classOf(entry.function));
      if (isWithout) this.act.withoutRow.add(entry);
      return isWithout;
    });
    if (this.problems.length > 0) this.incomplete = true;
  }

  *close(): Steps<void> {
    yield* this.giveBack();
    for (const server of this.locks) releaseProbeLock(this.act, server);
    this.locks = [];
  }

  private *giveBack(): Steps<void> {
    const {holds} = this;
    this.holds = [];
    this.openedMs = null;
    for (const hold of holds) yield* this.reporting(hold.giveBack());
  }

  private *open(isWanted: (jobClass: string) => boolean): Steps<void> {
    this.openedMs = this.act.world.clock.nowMs;
    yield {did: 'asks the servers for their functions'};
    this.act.witness.holds();
    for (const server of this.act.view.servers)
      if (!server.up) this.problems.push(`${server.address} does not answer.`);
    const {world} = this.act;
    const isProbed = (server: Gearmand) => world.lockedByOther(server) || world.probeLocks.has(server);
    const waits = (
      {total, running, jobClass}: {total: number; running: number; jobClass: string},
      server: Gearmand,
    ) => (total > running || (total > 0 && isProbed(server))) && isWanted(jobClass);
    const runs = ({running, jobClass}: {running: number; jobClass: string}) =>
      running > 0 && isWanted(jobClass);
    this.mayExecute = siteFunctions(this.act, runs).size > 0;
    for (const [server, names] of siteFunctions(this.act, waits))
      yield* this.reporting(this.hold(server, names));
  }

  private *hold(server: Gearmand, names: readonly string[]): Steps<void> {
    if (!this.locks.includes(server)) {
      yield* takeProbeLock(this.act, server);
      this.locks.push(server);
    }
    const hold = new Hold(this.act, server);
    yield* hold.take(names);
    for (const {message} of hold.refused) this.problems.push(message);
    this.holds.push(hold);
  }

  private *end(chosen: (entry: Entry) => boolean): Steps<void> {
    for (const hold of this.holds) {
      yield* this.reporting(
        hold.end(chosen, ({payload}) => {
          this.removed += 1;
          this.taken.add(payload.jobId);
        }),
      );
    }
  }

  private *reporting(steps: Steps<void>): Steps<void> {
    const failure = yield* attempt(steps);
    if (failure) this.problems.push(failure.message);
  }
}
