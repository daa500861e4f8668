/** jobs:clear, step by step: src/jobs/clear. */
import {mayBeFunctionOf} from '../../../src/atom/job-classes.ts';
import {AtomctlError, EXIT} from '../../../src/errors.ts';
import {clearExitStatus, countElsewhere, type SiteCleared} from '../../../src/jobs/clear/clear.ts';
import {executingJobs, placesOf, stateIn} from '../../../src/jobs/live/live-state.ts';
import {anotherBegan} from '../../../src/jobs/live/still-executing.ts';
import {
  goOnAllTheTime,
  MOST_PLANS,
  reasonAgainstInterruption,
} from '../../../src/jobs/model/worker-control.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Entry, Gearmand} from '../gearmand.ts';
import {type Act, changeRow, liveStates, type Report, refused, type Steps} from './act.ts';
import {
  attempt,
  cancelByKey,
  Hold,
  isJobOf,
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
  lastId: number;
  /** Rows that matched then, and whenever the clear came to them. */
  matched: Set<number>;
  /** They ran when the question was asked, and did not match for that. */
  running: ReadonlySet<number>;
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
  yield {did: 'reads what it will clear, and is told to go on'};
  const {spec} = act;
  if (spec.keepQueue) return yield* clearAll(act, plan, {elsewhere: 0, workersAsked: false});
  const report = yield* liveStates(act);
  const ids = candidates(act, plan)
    .filter(({status}) => status === 'running')
    .map(({id}) => id);
  const elsewhere = countElsewhere(report, ids);
  const prepared = spec.restartWorker ? yield* prepareStop(act, report, ids) : null;
  if (prepared === null) return yield* clearAll(act, plan, {elsewhere, workersAsked: false});
  const {workers, cancelled} = prepared;
  const {result} = yield* whileStopped(act, workers, function* () {
    const seen = {elsewhere, workersAsked: true};
    if (!act.aborted || cancelled.size === 0) return yield* clearAll(act, plan, seen);
    // Interrupted, only the rows go whose jobs are gone from Gearman already.
    act.aborted = false;
    const some = {...plan, filtered: true, matches: (row: Row) => cancelled.has(row.id) && plan.matches(row)};
    const done = yield* clearAll(act, some, seen);
    act.aborted = true;
    return {...done, exit: EXIT.interrupted};
  });
  return result;
}

function* prepareStop(
  act: Act,
  first: Report,
  ids: readonly number[],
): Steps<{workers: UnitStop; cancelled: ReadonlySet<number>} | null> {
  const {interrupt} = act.spec;
  const cancelled = new Set<number>();
  let report = first;
  for (let times = 0; times < MOST_PLANS; times += 1) {
    const executing = new Set(ids.filter((id) => stateIn(report, id) === 'executing'));
    if (executing.size === 0) return null;
    const goBack = [...executing].some((id) => placesOf(report, id).length === 0);
    const workers = workersOf(act, executing, executingJobs(report), {goBack});
    for (const id of ids) act.named.add(id);
    const against = act.careless.asksNobody
      ? null
      : reasonAgainstInterruption(workers as never, interrupt === 'all' ? 'all' : new Set());
    if (against !== null) throw cancelled.size === 0 ? against : new AtomctlError('FAILED', against.message);
    if (interrupt === 'all') for (const {id} of workers.interrupts) act.agreed.add(id);
    for (const id of executing) {
      const {outcome} = yield* changeRow(act, {id, seen: null, to: 'deleted'}, {rehearsal: true});
      if (outcome === 'failed') throw refused('Jobs cannot be deleted.');
    }
    yield* cancelAll(act, report, {executing, cancelled});
    const now = yield* liveStates(act);
    const still = yield* stillExecuting(report, executing, now);
    for (const id of executing) if (!still.has(id)) cancelled.delete(id);
    const hasOther = workers.others && anotherBegan(report, now, ids);
    if (act.careless.asksNobody || (!hasOther && still.size === executing.size)) return {workers, cancelled};
    report = now;
  }
  throw cancelled.size === 0 ? goOnAllTheTime() : new AtomctlError('FAILED', goOnAllTheTime().message);
}

function* cancelAll(
  act: Act,
  report: Report,
  {executing, cancelled}: {executing: ReadonlySet<number>; cancelled: Set<number>},
): Steps<void> {
  for (const id of executing) {
    if (cancelled.has(id)) continue;
    for (const place of placesOf(report, id)) {
      const server = place.server as unknown as Gearmand;
      const key = {name: place.function, key: place.unique};
      const outcome = yield* cancelByKey(act, server, key, {executingToo: true});
      if (outcome !== 'absent') cancelled.add(id);
    }
  }
}

function planClear({world, spec}: Act): Plan {
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
  const withoutRunning = spec.filter === 'inactive' || spec.filter === 'ended';
  return {
    matches,
    filtered: spec.filter !== 'everything',
    lastId: Math.max(0, ...rows.filter(matches).map(({id}) => id)),
    matched: new Set(rows.filter(matches).map(({id}) => id)),
    running: new Set(withoutRunning ? rows.filter(({status}) => status === 'running').map(({id}) => id) : []),
  };
}

function failed(message: string): AtomctlError {
  return new AtomctlError('DATABASE_BUSY', message);
}

function candidates({world}: Act, {matches, lastId, running}: Plan): Row[] {
  return [...world.visibleRows().values()]
    .filter((row) => row.id <= lastId && !running.has(row.id) && matches(row))
    .sort((one, other) => one.id - other.id);
}

function* clearAll(
  act: Act,
  plan: Plan,
  {elsewhere, workersAsked}: {elsewhere: number; workersAsked: boolean},
): Steps<Cleared> {
  const {spec} = act;
  const window = spec.keepQueue ? null : new Window(act);
  const result = {cleared: 0, interrupted: false, failure: null as SiteCleared['failure']};
  let unchangeable = null;
  try {
    result.failure = yield* attempt(clearBatches(act, plan, window, result));
    const isUntouched = result.cleared + (window?.removed ?? 0) === 0 && !workersAsked;
    if (result.failure?.code === 'REFUSED' && isUntouched) unchangeable = result.failure;
    else if (spec.allQueued && !act.aborted && result.failure === null)
      yield* window?.takeJobsWithoutRows() ?? [];
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
      ...(result.failure === null ? [] : [result.failure.message]),
    ],
    exit: clearExitStatus({
      ...result,
      queueIncomplete,
      queueRemoved: window?.removed ?? 0,
      workersAsked,
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
  for (let afterId = 0; ; ) {
    if (act.aborted) {
      result.interrupted = true;
      return;
    }
    yield {did: 'reads the next batch'};
    const batch = candidates(act, plan)
      .filter(({id}) => id > afterId)
      .slice(0, spec.batchSize);
    for (const {id} of world.visibleRows().values())
      if (id > afterId && !candidates(act, plan).some((row) => row.id === id)) plan.matched.delete(id);
    if (batch.length === 0) return;
    if (window !== null) {
      const running = batch.filter(({status}) => status === 'running');
      for (const {id} of running.length > 0 ? running : batch.slice(0, 1)) {
        const {outcome} = yield* changeRow(act, {id, seen: null, to: 'deleted'}, {rehearsal: true});
        if (outcome === 'failed') throw refused('Jobs cannot be deleted.');
      }
      for (const {id} of batch) act.named.add(id);
      yield* window.takeJobsOf(batch);
    }
    for (const {id} of batch) act.named.add(id);
    yield {did: `deletes the rows ${batch.map(({id}) => id).join(', ')}`};
    if (world.setup.replica) throw failed('The server is read-only.');
    if (spec.rowFailsAt !== null && act.steps >= spec.rowFailsAt) throw failed('A row is locked.');
    for (const {id} of batch) {
      const row = world.row(id);
      if (!row || (plan.filtered && !plan.matches(row))) {
        plan.matched.delete(id);
        continue;
      }
      act.write(id, 'deleted');
      result.cleared += 1;
    }
    afterId = batch.at(-1)!.id;
    if (afterId >= plan.lastId) return;
    if (spec.pauseSeconds === 0) continue;
    if (window) yield* window.close();
    yield {did: 'pauses', untilMs: world.clock.nowMs + spec.pauseSeconds * SECOND};
  }
}

/** src/jobs/clear/queue-window.ts. */
class Window {
  removed = 0;
  incomplete = false;
  readonly problems: string[] = [];
  private holds: {hold: Hold; server: Gearmand}[] = [];
  private openedMs: number | null = null;

  constructor(private readonly act: Act) {}

  *takeJobsOf(rows: readonly Row[]): Steps<void> {
    const running = rows.some(({status}) => status === 'running');
    if (this.openedMs !== null && this.act.world.clock.nowMs - this.openedMs > WINDOW_MS) yield* this.close();
    if (this.openedMs === null) {
      if (!running) return;
      yield* this.open();
    }
    const byId = new Map(rows.map(({id, job, objectId}) => [id, {id, name: job.name, objectId}]));
    yield* this.end((entry) => {
      const row = byId.get(entry.payload.jobId);
      return row !== undefined && isJobOf(this.act, entry, row);
    });
    if (this.problems.length > 0 && running) this.incomplete = true;
  }

  *takeJobsWithoutRows(): Steps<void> {
    if (this.openedMs === null) yield* this.open();
    yield {did: 'asks which of the held jobs have a row'};
    const {world} = this.act;
    yield* this.end(({payload, function: name}) => {
      const row = world.row(payload.jobId);
      return row === undefined || !mayBeFunctionOf(row.job.name, name.slice(name.lastIndexOf('-') + 1));
    });
  }

  *close(): Steps<void> {
    const {holds} = this;
    this.holds = [];
    this.openedMs = null;
    for (const {hold, server} of holds) {
      yield* this.reporting(hold.giveBack());
      releaseProbeLock(this.act, server);
    }
  }

  private *open(): Steps<void> {
    this.openedMs = this.act.world.clock.nowMs;
    yield {did: 'asks the servers for their functions'};
    this.act.witness.holds();
    for (const server of this.act.view.servers)
      if (!server.up) this.problems.push(`${server.address} does not answer.`);
    for (const [server, names] of siteFunctions(this.act, ({total, running}) => total > running))
      yield* this.reporting(this.hold(server, names));
  }

  private *hold(server: Gearmand, names: readonly string[]): Steps<void> {
    yield* takeProbeLock(this.act, server);
    const hold = new Hold(this.act, server);
    try {
      yield* hold.take(names);
    } catch (error) {
      releaseProbeLock(this.act, server);
      throw error;
    }
    for (const {message} of hold.refused) this.problems.push(message);
    this.holds.push({hold, server});
  }

  private *end(chosen: (entry: Entry) => boolean): Steps<void> {
    for (const {hold} of this.holds) {
      yield* this.reporting(
        hold.end(chosen, () => {
          this.removed += 1;
        }),
      );
    }
  }

  private *reporting(steps: Steps<void>): Steps<void> {
    const failure = yield* attempt(steps);
    if (failure) this.problems.push(failure.message);
  }
}
