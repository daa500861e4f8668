import {AtomctlError} from '../../../src/errors.ts';
import type {LiveReport} from '../../../src/jobs/live/live-state.ts';
import {type LiveVerdict, liveVerdicts} from '../../../src/jobs/live/verdict.ts';
import type {RowOutcome} from '../../../src/jobs/model/change-row.ts';
import type {Job} from '../../../src/jobs/model/job.ts';
import type {Row} from '../atom-site.ts';
import {SECOND} from '../clock.ts';
import type {Connection, Entry, Gearmand} from '../gearmand.ts';
import {LAST_QUESTION, loggedKeyOf, Observation, qualityOf} from '../observe.ts';
import type {Execution, Worker} from '../worker.ts';
import {type ActWorld, has, type SiteView} from './act-world.ts';
import type {LimitName} from './known-limits.ts';
import {ACT_CONNECTION, type Witness} from './witness.ts';

/** A step of an act is done; the world goes on, at least until a time if the act waits. */
export interface Step {
  did: string;
  untilMs?: number;
}

export type Steps<T> = Generator<Step, T, void>;

/** What an operator runs, as it is drawn. */
export interface ActSpec {
  kind: 'kill' | 'mark' | 'clear' | 'fix' | 'retry' | 'save' | 'restore' | 'hold';
  /** The event before which it starts. */
  at: number;
  /** Picks jobs. */
  picks: readonly number[];
  force: boolean;
  deleteRows: boolean;
  restartWorker: boolean;
  /** `asked`: what the question named is agreed to. */
  interrupt: 'none' | 'all' | 'asked';
  as: 'completed' | 'error';
  filter: 'everything' | 'inactive' | 'running' | 'ended' | 'name' | 'ids';
  keepQueue: boolean;
  allQueued: boolean;
  batchSize: number;
  pauseSeconds: number;
  /** `--gearman` names the first server alone. */
  oneServer: boolean;
  /** The steps at which something goes wrong; null if nothing does. */
  signalAt: number | null;
  killedAt: number | null;
  rowFailsAt: number | null;
  /** A server has so few connections that jobs may have to share one. */
  fewConnections: boolean;
  /** Of queue:restore and queue:hold. */
  queue?: QueueSpec;
}

/** What the command of a hold does, a poll each: `restart`, `stop`, `start` of the first gearmand. */
export type CommandStep = 'nothing' | 'restart' | 'stop' | 'start' | 'deploy' | 'clearCache' | 'startWorker';

export interface QueueSpec {
  /** The server of `--to`, by its place; null: each job to the one that it was saved from. */
  to: number | null;
  rePrefix: boolean;
  maxWaitSeconds: number;
  /** The workers of this host are units of systemd. */
  units: boolean;
  command: readonly CommandStep[];
  commandStatus: number;
  /** The step at which the connections of the act are cut; null if they are not. */
  cutAt: number | null;
}

/** How an act is done wrongly, to see that its harm is found. */
export interface Careless {
  judge?: typeof liveVerdicts;
  /** Takes jobs by the id in the payload alone, under every prefix. */
  everyPrefix?: boolean;
  /** The same under the site's own prefix. */
  idAlone?: boolean;
  /** Gives all jobs back by one connection, at once. */
  atOnce?: boolean;
  /** Changes the row before the job is out of Gearman, and leaves it there. */
  rowsOnly?: boolean;
  /** Clears also what a worker began after the question. */
  clearsBegun?: boolean;
  /** Stops the workers whatever else they execute. */
  asksNobody?: boolean;
  /** Does not compare the jobs with what the question said of them. */
  forgetsQuestion?: boolean;
  /** Its exit status, whatever it did. */
  exit?: number;
  /** Returns jobs without trying the limit of retries. */
  ignoresRetryLimit?: boolean;
  /** Saves what it could read, and leaves out what it could not. */
  savesAPart?: boolean;
  /** What a restore does not look at. */
  restoresDespite?: 'key' | 'row' | 'log' | 'cancelled entry' | 'old rows';
  /** Submits the last job of a copy first. */
  restoresBackwards?: boolean;
  /** Gives jobs back before it stops the workers. */
  givesBackEarly?: boolean;
  /** Stops the workers, and does not wait until they are idle. */
  waitsForNobody?: boolean;
  /** Does not notice that a server was restarted, which has forgotten what it held. */
  missesRestarts?: boolean;
  /** Registers no abilities while it holds jobs. */
  hasNoAbilities?: boolean;
  /** Ends a job under the old prefix before it submits it under the new one. */
  endsBeforeItMoves?: boolean;
  /** Keeps no copy of the jobs that it could not give back. */
  keepsNoCopy?: boolean;
}

export function commandOf(kind: ActSpec['kind']): string {
  if (kind === 'fix') return 'doctor --fix';
  return kind === 'save' || kind === 'restore' || kind === 'hold' ? `queue:${kind}` : `jobs:${kind}`;
}

/** What an atomctl that acts has read: as LiveReport, with the servers of the model. */
export type Report = LiveReport & {beganMs: number};

/** One atomctl that acts: what it does to the world goes through here, and the witness is told. */
export class Act {
  /** Jobs that it may change, end or take out. */
  readonly named = new Set<number>();
  /** What the question said of the status of each job; empty if nothing was asked. */
  asked: ReadonlyMap<number, Job['status']> = new Map();
  /** Other jobs whose interruption was agreed to. */
  readonly agreed = new Set<number>();
  /** What it has touched of each job. */
  readonly touched = new Map<number, Set<'Gearman' | 'row'>>();
  private readonly touchedEntries = new Set<Entry>();
  /** Rows that it has changed or deleted. */
  readonly changed = new Set<number>();
  /**
   * Jobs that waited, or that the act held, when it deleted their row, which said Running. What comes while the queue is held
   * stays there: it fails as soon as a worker begins it.
   */
  readonly waitedAtEnd = new Set<Entry>();
  /** Jobs to clear that no worker had begun at the question. */
  unbegun: ReadonlySet<number> = new Set();
  /** Rows to clear that had ended when they were read. */
  readonly readEnded = new Set<number>();
  /** Jobs that had no row when their rows were asked for. */
  readonly withoutRow = new Set<Entry>();
  view: SiteView;
  observation: Observation | null = null;
  aborted = false;
  /** Units that it has stopped and not started yet. */
  stopped = 0;
  /** How many units it stopped, for the figures. */
  stops = 0;
  /** How many waiting jobs it held at once, at most. */
  held = 0;
  steps = 0;
  /** Jobs from this place on came to Gearman after it was asked for the last time. */
  askedPlace = Number.POSITIVE_INFINITY;
  /** When it read what it decides by. */
  reportMs = 0;
  /** The processes of this host could not be read then. */
  isHostUnread = false;
  /** Jobs whose rows then said Running. */
  ranAtReport: ReadonlySet<number> = new Set();
  /** Jobs that were then called finished. */
  calledFinished: ReadonlySet<number> = new Set();
  /** Jobs that were then proved to execute. */
  proved: ReadonlySet<number> = new Set();
  /** Jobs that the verdicts then said to execute, and those that showed it by their key whatever the verdicts said. */
  shown: ReadonlySet<number> = new Set();
  readonly connections: {server: Gearmand; connection: Connection}[] = [];
  readonly locks = new Set<Gearmand>();
  readonly beganMs: number;
  /** The run of each server when it began. */
  readonly beganRuns: ReadonlyMap<Gearmand, number | undefined>;
  /** Looks at what is left, after SIGKILL. */
  onKill: (() => void) | null = null;

  constructor(
    readonly world: ActWorld,
    readonly witness: Witness,
    readonly spec: ActSpec,
    readonly careless: Careless,
  ) {
    this.view = world.siteView(spec.oneServer);
    this.beganMs = world.clock.nowMs;
    this.beganRuns = new Map(world.servers.map((server) => [server, world.stops.get(server)]));
  }

  /** What the product asks for a signal. */
  get signal(): AbortSignal {
    return {aborted: this.aborted} as AbortSignal;
  }

  get name(): string {
    return commandOf(this.spec.kind);
  }

  /** What it ended, cancelled, changed or stopped, in words. */
  get destroyed(): string[] {
    return [
      ...[...this.touchedEntries].map(({payload: {jobId}}) => `ended the Gearman job of ${jobId}`),
      ...[...this.changed].map((id) => `changed row ${id}`),
      ...(this.stops > 0 ? ['stopped workers'] : []),
    ];
  }

  touch(id: number, what: 'Gearman' | 'row'): void {
    this.touched.set(id, (this.touched.get(id) ?? new Set()).add(what));
  }

  private mayTouch(entry: Entry, did: string): void {
    const {payload, function: name} = entry;
    const {site, jobId} = payload;
    this.touchedEntries.add(entry);
    if (site === 'own') this.touch(jobId, 'Gearman');
    if (site === 'own' && this.named.has(jobId)) return;
    const all = this.spec.kind === 'clear' && this.spec.allQueued;
    if (all && site === 'own' && this.withoutRow.has(entry)) return;
    const isShared = this.view.prefixes.has(name.slice(0, name.lastIndexOf('-') + 1));
    // What a hold moves to another prefix is under the one of both.
    const mayBeOther = this.spec.kind === 'hold' || (all && this.withoutRow.has(entry));
    const limit = mayBeOther && site === 'other' && isShared ? 'one prefix for two sites' : null;
    const whose = site === 'own' ? '' : "the other site's ";
    this.witness.harm(
      `a job that was not named is ${did}`,
      `${this.name}: ${whose}job ${jobId} (${name}) is ${did}.`,
      limit,
    );
  }

  /** WORK_FAIL. */
  end(server: Gearmand, connection: Connection, entry: Entry): void {
    this.mayTouch(entry, 'ended');
    server.end(connection, entry);
  }

  cancel(server: Gearmand, entry: Entry): void {
    if (entry.ignored) this.touchedEntries.add(entry);
    else this.mayTouch(entry, 'cancelled');
    server.cancel(entry);
  }

  connect(server: Gearmand, functions: readonly string[]): Connection {
    const connection = server.connect(`${ACT_CONNECTION}-${this.connections.length}`, '127.0.0.1', functions);
    this.connections.push({server, connection});
    return connection;
  }

  /**
   * Gives the jobs of one connection back.
   * @param mostRetries how often a job had been returned at most when the limit was tried; null if it was not
   */
  disconnect(server: Gearmand, connection: Connection, mostRetries: number | null): void {
    const held = [...connection.held];
    const retries = new Map(held.map((entry) => [entry, entry.retries]));
    const broken = connection.broken;
    server.disconnect(connection);
    if (broken) return;
    for (const entry of held)
      if (!has(server, entry))
        this.witness.harm(
          'a job that was not named is dropped at the limit of retries',
          `${this.name}: gearmand drops job ${entry.payload.jobId}.`,
          mostRetries !== null && retries.get(entry)! > mostRetries
            ? 'returned while limited retries were tried'
            : null,
        );
  }

  /** The row becomes something else. */
  write(id: number, to: Row['status'] | 'deleted', {limit}: {limit?: LimitName | null} = {}): void {
    this.touch(id, 'row');
    if (!this.named.has(id))
      this.witness.harm('the row of a job that was not named changes', `${this.name} changes row ${id}.`);
    if (to !== 'deleted' && !this.spec.force && this.world.executes(id))
      this.witness.harm(
        `${this.name} changes the row of a job that a worker executes`,
        `${this.name} sets row ${id} to ${to} while a worker executes its job.`,
        limit ?? this.limitOfExecution(id),
      );
    // A worker will be handed it, whatever the row says.
    const waiting = this.witness.entriesOf(id).filter(({holder}) => holder === null);
    if (to !== 'deleted' && !this.spec.force && waiting.length > 0)
      this.witness.harm(
        `${this.name} changes the row of a job that waits`,
        `${this.name} sets row ${id} to ${to} while its job waits in Gearman.`,
        limit ?? this.limitOfWaiting(id, waiting),
      );
    if (to === 'deleted' && this.unbegun.has(id)) this.checkBegun(id);
    const status = this.world.row(id)?.status;
    if (!this.spec.force && status !== (this.asked.get(id) ?? status))
      this.witness.harm(
        'the row of a job changes that is not as the question said',
        `${this.name} sets row ${id} from ${status} to ${to}; the question said ${this.asked.get(id)}.`,
      );
    this.changed.add(id);
    if (to === 'deleted' && this.world.row(id)?.status === 'running')
      for (const entry of this.witness.entriesOf(id)) {
        const waits = entry.holder === null || entry.holder.id.startsWith(ACT_CONNECTION);
        if (!waits || this.witness.cameWhileHeld(entry)) continue;
        if (!this.readEnded.has(id)) this.waitedAtEnd.add(entry);
        else
          this.witness.harm(
            'the Gearman job of a cleared row stays',
            `${this.name} deletes row ${id}, which had ended as it was read, and leaves its Gearman job.`,
            'running again meanwhile',
          );
      }
    if (to === 'deleted') this.world.own.rows.delete(id);
    else this.world.own.save(id, to);
  }

  /** The row of a job is deleted that no worker had begun at the question. One that was taken out before is begun no more. */
  private checkBegun(id: number): void {
    const isTaken = [...this.touchedEntries].some(
      ({payload}) => payload.jobId === id && payload.site === 'own',
    );
    const hasLogged = (this.world.row(id)?.log.length ?? 0) > 0;
    if (isTaken || !(hasLogged || this.world.executes(id))) return;
    this.witness.harm(
      'the row of a job that began after the question is deleted',
      `${this.name} deletes row ${id}, whose job a worker began after the question.`,
      hasLogged ? null : 'cleared as it began',
    );
  }

  /** Why a job still waits that was taken out, or that was seen not to wait. */
  private limitOfWaiting(id: number, waiting: readonly Entry[]): LimitName | null {
    if (waiting.every((entry) => this.isNew(entry) || this.isLate(id, entry)))
      return 'submitted again meanwhile';
    // Its row says that it began, so its web request must have submitted it.
    const isSecond = this.world.begunForOther.has(id);
    if (isSecond && waiting.every((entry) => this.witness.cameSince(entry, this.askedPlace)))
      return 'one prefix for two sites';
    const isTaken = [...this.touchedEntries].some(
      ({payload}) => payload.jobId === id && payload.site === 'own',
    );
    return isTaken ? 'submitted twice' : null;
  }

  /** Its web request submitted it after the last question, and a worker has ended one that somebody submitted before. */
  private isLate(id: number, entry: Entry): boolean {
    return this.calledFinished.has(id) && this.witness.cameSince(entry, this.askedPlace);
  }

  /** An operator submitted it after the last question to Gearman. */
  isNew(entry: Entry): boolean {
    return this.witness.submittedByHandSince(entry, this.askedPlace);
  }

  /**
   * Why a job that was taken out is executing all the same.
   * @param wasForgotten it is said to be taken out, and gearmand had forgotten it in the moment before
   */
  limitOfExecution(id: number, wasForgotten = false): LimitName | null {
    const taken = [...this.touchedEntries].filter(
      ({payload}) => payload.jobId === id && payload.site === 'own',
    );
    const executions = this.world.workers.flatMap(({execution}) =>
      execution?.jobId === id ? execution : [],
    );
    const limits = executions.map(({entry, connection, phase}): LimitName | null => {
      if (entry.payload.site === 'other') return 'one prefix for two sites';
      if (this.isNew(entry)) return 'submitted again meanwhile';
      if (this.isLate(id, entry)) return 'submitted again meanwhile';
      if (taken.length === 0 && wasForgotten && connection.broken) return 'its worker lost its server';
      if (taken.length === 0)
        return this.isHostUnread && this.calledFinished.has(id) && phase === 'grabbed' && connection.broken
          ? 'begun again unseen'
          : null;
      if (!taken.includes(entry)) return 'submitted twice';
      return connection.broken ? 'its worker lost its server' : null;
    });
    // The import of a worker that died keeps its sockets (run, 2.8.2).
    const orphans = this.world.children.filter(({jobId, parent}) => jobId === id && parent === null);
    for (const {connections} of orphans) {
      const own = [...connections.values()].flatMap(({held}) => [...held]);
      const isSecond = own.some(({payload}) => payload.jobId === id) && !own.some((e) => taken.includes(e));
      const isCut = [...connections.values()].some(({broken}) => broken);
      if (taken.length === 0) limits.push(null);
      else limits.push(isSecond ? 'submitted twice' : isCut ? 'its worker lost its server' : null);
    }
    const limit = limits.includes(null) ? null : (limits[0] ?? null);
    // Nothing but another site's job excuses what was proved to execute.
    return this.proved.has(id) && limit !== 'one prefix for two sites' ? null : limit;
  }

  stopUnit(worker: Worker): void {
    const {execution} = worker;
    const id = execution?.entry.payload.site === 'own' ? execution.jobId : null;
    if (id !== null && !this.named.has(id) && !this.agreed.has(id)) {
      const handedMs = this.witness.handedMs.get(id) ?? 0;
      this.witness.harm(
        'a job is interrupted that was not named',
        `${this.name} stops worker ${worker.pid}, which executes job ${id}.`,
        handedMs >= this.reportMs
          ? 'begun meanwhile'
          : this.isTwice(execution!)
            ? 'its worker lost its server'
            : this.isElsewhere(execution!)
              ? 'known elsewhere'
              : this.unnamedLimit(id),
      );
    }
    this.world.stopUnit(worker);
    this.stopped += 1;
  }

  /**
   * Gearman has the job that this worker executes all the same, or had it until an operator cancelled it or another worker ended it:
   * a hold sees that one alone.
   */
  private isTwice({jobId, connection}: Execution): boolean {
    const wasEnded = this.wasCancelled(jobId) || this.world.row(jobId)?.status !== 'running';
    const isTwice = wasEnded || this.witness.entriesOf(jobId).length > 0;
    return this.spec.kind === 'hold' && connection.broken && isTwice;
  }

  /** By an operator, since this act began. */
  wasCancelled(id: number): boolean {
    return (this.world.cancelledMs.get(id) ?? Number.NEGATIVE_INFINITY) >= this.beganMs;
  }

  private isElsewhere({entry}: Execution): boolean {
    const knowing = this.world.servers.filter((server) => has(server, entry));
    return knowing.length > 0 && knowing.every((server) => !this.view.servers.includes(server));
  }

  private unnamedLimit(id: number): LimitName | null {
    const row = this.world.row(id);
    if (row === undefined) return 'ended by hand';
    // By this act, also if somebody has cancelled it meanwhile.
    const isHeld = this.connections.some(({connection}) =>
      connection.held.some(({payload}) => payload.site === 'own' && payload.jobId === id),
    );
    if (row.status !== 'running' && !this.ranAtReport.has(id))
      return executingByKey(this, [row]).has(id) && !isHeld ? null : 'ended by hand';
    return this.shown.has(id) ? null : 'not known to execute';
  }

  /** Its connections to the servers are lost; the servers have back what it held. */
  cut(): void {
    const holding = this.connections.filter(
      ({connection}) => !connection.broken && connection.held.length > 0,
    );
    if (holding.length > 0) this.witness.orderIsLost('its connections were cut');
    this.witness.held = new Set();
    for (const {server, connection} of this.connections) {
      if (connection.broken) continue;
      server.disconnect(connection);
      connection.broken = true;
    }
    for (const server of this.locks) this.world.probeLocks.delete(server);
  }

  /** SIGKILL: what it holds goes back, in an order of its own, and nothing is started. */
  kill(): void {
    const holding = this.connections.filter(
      ({connection}) => !connection.broken && connection.held.length > 0,
    );
    this.witness.checkQueues();
    if (holding.length > 0) this.witness.orderIsLost('killed outright');
    for (const {server, connection} of [...this.connections].reverse()) server.disconnect(connection);
    for (const {server} of holding) this.witness.queuedAgain(server, server.entries());
    this.onKill?.();
    this.witness.held = new Set();
    this.world.holding = null;
    this.release();
  }

  release(): void {
    for (const server of this.locks) this.world.probeLocks.delete(server);
    this.locks.clear();
    this.world.siteLocked = false;
  }
}

/** A server does not answer, or a connection to it has broken. */
export function unreachable({address}: Gearmand): AtomctlError {
  return new AtomctlError('GEARMAN_UNREACHABLE', `Gearman server ${address} does not answer.`);
}

export function refused(message: string): AtomctlError {
  return new AtomctlError('REFUSED', message);
}

export function requireUp(server: Gearmand): void {
  if (!server.up) throw unreachable(server);
}

export function requireAlive(server: Gearmand, connection: Connection): void {
  if (!server.up || connection.broken) throw unreachable(server);
}

/** A waiting job whose payload was read. */
export interface Probed {
  queue: string;
  entry: Entry;
  server: Gearmand;
}

/** One reading of the site (liveStates), with the world going on between its steps. */
export function* liveStates(
  act: Act,
  options: {seenBefore?: ReadonlySet<number>; probed?: readonly Probed[]} = {},
): Steps<Report> {
  const {world, spec} = act;
  const beganMs = world.clock.nowMs;
  const observation = new Observation(world, {
    probe: false,
    oneServer: spec.oneServer,
    seenBefore: options.seenBefore ?? new Set(),
    probed: options.probed ?? [],
    withoutTruths: true,
  });
  act.observation = observation;
  const running = () => [...world.visibleRows().values()].filter(({status}) => status === 'running');
  const before = executingByKey(act, running());
  while (!observation.step()) {
    if (observation.lastStep === LAST_QUESTION) act.askedPlace = act.witness.nextPlace;
    yield {did: observation.lastStep};
  }
  act.observation = null;
  act.reportMs = beganMs;
  const evidence = observation.evidence!;
  const verdicts = (act.careless.judge ?? liveVerdicts)(evidence);
  const after = executingByKey(act, running());
  const byKey = [...before].filter((id) => after.has(id));
  act.ranAtReport = new Set(evidence.rows.map(({id}) => id));
  act.isHostUnread = evidence.host !== null && evidence.host.processes.unreadable !== null;
  act.calledFinished = new Set([...verdicts].flatMap(([id, {state}]) => (state === 'finished' ? [id] : [])));
  const byVerdict = [...verdicts].flatMap(([id, {state}]) => (state === 'executing' ? [id] : []));
  act.proved = new Set([...byKey, ...byVerdict]);
  act.shown = new Set([
    ...byKey,
    ...[...verdicts].filter(([, {state, likely}]) => (likely ?? state) === 'executing').map(([id]) => id),
  ]);
  const found = new Map(
    [...observation.places].map(([id, places]) => [
      id,
      places.map(({entry, ...place}) => ({...place, function: entry.function, unique: entry.key})),
    ]),
  );
  const rows = evidence.rows.map(({id, name}) => ({id, name, logLength: lengthOf(observation.rowRead(id)!)}));
  yield {did: observation.lastStep};
  return {verdicts, evidence, found, rows, missing: [], beganMs} as unknown as Report;
}

/** Jobs that a server would say to execute if it was asked for their key at this moment. */
function executingByKey({world, view}: Act, rows: readonly Row[]): Set<number> {
  // Without a root the states rest on one server (observe.ts).
  const asked = world.setup.guessed ? world.servers.slice(0, 1) : view.servers;
  const servers = asked.filter((server) => server.up && !world.lockedByOther(server));
  const functions = servers.flatMap((server) =>
    server
      .status()
      .map(({function: name}) => ({server, name}))
      .filter(({name}) => view.prefixes.has(name.slice(0, name.lastIndexOf('-') + 1))),
  );
  const isHeld = (row: Row) =>
    functions.some(({server, name}) => (server.find(name, loggedKeyOf(name, row))?.holder ?? null) !== null);
  const keyed = rows.filter((row) => qualityOf(row, world.own) !== 'none');
  return new Set(keyed.filter(isHeld).map(({id}) => id));
}

/** What stands for the bytes of a log. */
export function lengthOf({log, cut}: Row): number {
  return log.length + (cut ? 0.5 : 0);
}

/** As liveStatesToAct: again after ten seconds if only time is missing. */
export function* liveStatesToAct(
  act: Act,
  firstSeen: Map<number, number>,
  {ids, probed}: {ids?: ReadonlySet<number>; probed?: readonly Probed[]} = {},
): Steps<Report> {
  const {clock} = act.world;
  const startMs = clock.nowMs;
  const seenLongAgo = [...firstSeen].filter(([, at]) => startMs - at >= 10 * SECOND).map(([id]) => id);
  const first = yield* liveStates(act, {seenBefore: new Set(seenLongAgo), probed});
  const early = [...first.verdicts].filter(([id, {needsTime}]) => needsTime && ids?.has(id) !== false);
  if (early.length === 0) return first;
  for (const [id] of early) if (!firstSeen.has(id)) firstSeen.set(id, startMs);
  yield {did: 'waits ten seconds', untilMs: clock.nowMs + 10 * SECOND};
  return yield* liveStates(act, {seenBefore: new Set(early.map(([id]) => id)), probed});
}

/** What loadJobs reads of rows, in the order of the ids; ids without a row are left out. */
export function loadJobs({world}: Act, ids: readonly number[]): Job[] {
  const rows = world.visibleRows();
  return [...new Set(ids)].flatMap((id) => {
    const row = rows.get(id);
    return row ? [jobOf(row)] : [];
  });
}

function jobOf({id, job, status, objectId}: Row): Job {
  return {id, name: job.name, status, objectId} as Job;
}

export interface RowChange {
  id: number;
  seen: {status: Job['status']; logLength: number | undefined} | null;
  to: 'completed' | 'error' | 'deleted';
  limit?: LimitName | null;
}

export type Written = RowOutcome | {outcome: 'failed'; error: AtomctlError};

/** The short transaction (changeRow), or its rehearsal, which changes nothing. */
export function* changeRow(
  act: Act,
  {id, seen, to, limit}: RowChange,
  {rehearsal = false} = {},
): Steps<Written> {
  yield {did: rehearsal ? `rehearses the change of row ${id}` : `opens a transaction for row ${id}`};
  const {world, spec} = act;
  if (world.setup.replica)
    return {outcome: 'failed', error: new AtomctlError('FAILED', 'The server is read-only.')};
  if (spec.rowFailsAt !== null && act.steps >= spec.rowFailsAt)
    return {outcome: 'failed', error: new AtomctlError('FAILED', 'The row is locked by another session.')};
  const row = world.row(id);
  if (!row) return {outcome: 'gone'};
  const logGrew = seen?.logLength !== undefined && lengthOf(row) !== seen.logLength;
  if (seen !== null && (row.status !== seen.status || logGrew))
    return {outcome: 'changed', status: row.status};
  if (!rehearsal) act.write(id, to, {limit: limit ?? null});
  return {outcome: 'done'};
}

export type {LiveVerdict};
