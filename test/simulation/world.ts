import {AtomSite, type Configuration, prefixOf, type Row} from './atom-site.ts';
import {JOB_CLASSES, type JobClass} from './classes.ts';
import {Clock, MINUTE, SECOND} from './clock.ts';
import {type Connection, type Entry, Gearmand, type GearmandOptions, type Payload} from './gearmand.ts';
import {
  connectAll,
  type HostName,
  type ImportChild,
  type Phase,
  step,
  type Worker,
  type WorkerContext,
} from './worker.ts';

/** How a world begins. */
export interface Setup {
  version: '2.6' | '2.8';
  servers: readonly Omit<GearmandOptions, 'address'>[];
  workers: number;
  /** Workers may run on another host or in a container. */
  workersElsewhere: boolean;
  /** The administrator says `workers: this-host`; a lie is not modelled. */
  statedHere: boolean;
  zoneQuarters: number;
  zoneObserved: boolean;
  /** The first hour of the history occurs twice on the site's wall clock. */
  foldedHour: boolean;
  /** A replica shows older rows and cannot be written. */
  replica: boolean;
  processesReadable: boolean;
  /** atomctl has neither an AtoM root nor given servers: it asks 127.0.0.1:4730 and knows no prefix. */
  guessed: boolean;
  otherSite: 'none' | 'listed' | 'unlisted' | 'same-prefix';
}

/** A web request between the commit of its row and the submission (QubitJob::runJob). */
interface Submission {
  payload: Payload;
  function: string;
  key: string;
  servers: readonly Gearmand[];
  dueMs: number;
}

/** Another atomctl that holds waiting jobs: a probe, or a client that calls itself one and never leaves. */
export interface Probe {
  server: Gearmand;
  function: string;
  startedMs: number;
  /** The job that it takes out, and whose row it changes in the end. */
  kills: number | null;
  connections: {connection: Connection; entry: Entry}[];
}

export type TrueState = 'executing' | 'queued' | 'finished' | 'lost';

/**
 * Whether a worker that the scan of the processes leaves out may be silent for the quiet time. With a restart of gearmand
 * it is then invisible, and its job cannot be told from a lost one (docs/faults.md).
 */
export const UNSCANNED_WORKERS_ARE_SILENT = false;

/**
 * Whether a worker on another host, or one that the scan leaves out, may wait between the assignment of a job and its first
 * log line. With a restart of gearmand it is then invisible, and such a job cannot be told from a lost one; it takes a
 * database that blocks the worker just then (docs/faults.md).
 */
export const HIDDEN_WORKERS_WAIT_BEFORE_THE_FIRST_LINE = false;

/** Longest time from a row's commit to its submission: Net_Gearman_Connection::connect gives up after 2 s per server. */
const SUBMIT_WITHIN_MS = 5 * SECOND;

/** The world in which the truth is known. Events change it (events.ts), observe.ts sees it as atomctl does. */
export class World {
  readonly setup: Setup;
  /**
   * Whether two sites with one prefix have rows of the same ids, which nothing but the object and the name in a payload tells
   * apart. No live state is compared with the truth there: a worker may run the other site's job as this row's.
   */
  readonly sitesShareIds: boolean = false;
  readonly clock: Clock;
  readonly servers: Gearmand[];
  readonly own: AtomSite;
  /** Rows of the second site. */
  readonly otherRows = new Set<number>();
  workers: Worker[] = [];
  children: ImportChild[] = [];
  submissions: Submission[] = [];
  probes: Probe[] = [];
  /** Jobs that another atomctl has taken out of Gearman, and whose rows it will change: no state is true of them. */
  readonly killing = new Set<number>();
  /** When an operator cancelled an entry of a job in Gearman, the last time. */
  readonly cancelledMs = new Map<number, number>();
  /** Connections of a host that lost its power: the server has not noticed. */
  halfOpen: {server: Gearmand; connection: Connection}[] = [];
  /** What a replica shows. */
  replicaRows: ReadonlyMap<number, Row>;
  private pids = 1000;
  private releases = 0;

  constructor(setup: Setup) {
    this.setup = setup;
    this.clock = new Clock(setup.zoneQuarters, setup.zoneObserved, setup.foldedHour);
    const start = this.clock.nowMs;
    this.servers = setup.servers.map(
      (options, index) =>
        new Gearmand({...options, address: `127.0.0.${index + 1}:4730`}, start - 60 * MINUTE),
    );
    this.own = new AtomSite(setup.version, {
      root: '/srv/atom-0',
      yaml: {servers: this.servers.map((server) => server.address), workersKey: ''},
      movedMs: start - 1000 * MINUTE,
      yamlWrittenMs: start - 1000 * MINUTE,
      web: {
        servers: this.servers.map((server) => server.address),
        workersKey: '',
        writtenMs: start - 900 * MINUTE,
      },
      worker: {
        servers: this.servers.map((server) => server.address),
        workersKey: '',
        writtenMs: start - 900 * MINUTE,
      },
    });
    this.replicaRows = new Map(this.own.rows);
    for (let index = 0; index < setup.workers; index += 1) this.startWorker('own', 'here');
    this.clock.nowMs += 1 * MINUTE;
  }

  get context(): WorkerContext {
    return {
      nowMs: this.clock.nowMs,
      own: this.own,
      otherRows: this.otherRows,
      newPid: () => this.newPid(),
      dies: (worker) => this.endWorker(worker, false),
    };
  }

  newPid(): number {
    this.pids += 1;
    return this.pids;
  }

  server(address: string): Gearmand {
    return this.servers.find((server) => server.address === address)!;
  }

  /** What atomctl reads of them: the YAML and the compiled caches. If they differ, the servers and keys of all count. */
  get configurations(): Configuration[] {
    const {yaml, web, worker} = this.own.release;
    return [yaml, ...[web, worker].filter((cache) => cache !== null)];
  }

  /** The prefixes of the site. */
  get prefixes(): Set<string> {
    return new Set(this.configurations.map(({workersKey}) => prefixOf(this.own.release.root, workersKey)));
  }

  /** The prefix that atomctl computes for the site. */
  get ownPrefix(): string {
    const {root, web, yaml} = this.own.release;
    return prefixOf(root, (web ?? yaml).workersKey);
  }

  /** The prefix of the second site: its own, or by the same root and key in two containers. */
  get otherPrefix(): string {
    return this.setup.otherSite === 'same-prefix' ? prefixOf('/srv/atom-0', '') : prefixOf('/srv/other', '');
  }

  /** A function of the second site, and atomctl's configuration names that site. */
  isListed(name: string): boolean {
    return this.setup.otherSite === 'listed' && name.startsWith(this.otherPrefix);
  }

  /** Functions of a server whose payloads a probe of atomctl reads. */
  probedFunctions(server: Gearmand): string[] {
    return server.status().flatMap(({function: name}) => (this.isListed(name) ? [] : name));
  }

  /** What a new web request or a new worker uses: the compiled cache, which it writes if there is none. */
  configuration(environment: 'web' | 'worker'): Configuration {
    const {release} = this.own;
    release[environment] ??= {...release.yaml, writtenMs: this.clock.nowMs};
    return release[environment];
  }

  /** The next release: its files are copied, with their times or without. */
  deploy(keepTimes: boolean): string {
    this.releases += 1;
    const {release} = this.own;
    this.own.release = {
      root: `/srv/atom-${this.releases}`,
      yaml: release.yaml,
      yamlWrittenMs: keepTimes ? release.yamlWrittenMs : this.clock.nowMs,
      web: null,
      worker: null,
      movedMs: this.clock.nowMs,
    };
    return this.own.release.root;
  }

  /** Time passes: web requests submit, workers that do not hang go on to the next thing that takes long. */
  advance(ms: number): void {
    const end = this.clock.nowMs + ms;
    for (const pause of [2 * SECOND, 8 * SECOND]) {
      if (end - this.clock.nowMs < pause) break;
      this.passTo(this.clock.nowMs + pause);
      this.settle();
    }
    const rest = end - this.clock.nowMs;
    this.passTo(end);
    if (rest >= 2 * SECOND) this.settle();
    if (!UNSCANNED_WORKERS_ARE_SILENT) this.unscannedWorkersLog();
  }

  private passTo(atMs: number): void {
    if (atMs > this.clock.nowMs) this.hiddenWorkersBegin();
    this.clock.nowMs = atMs;
    for (const submission of [...this.submissions]) {
      if (submission.dueMs <= atMs) this.submit(submission);
    }
    // Between the job and its row are milliseconds.
    for (const probe of this.probes) {
      if (probe.kills !== null && probe.startedMs < atMs) this.endProbe(probe);
    }
  }

  /** The other atomctl changes the row of the job that it kills, gives the others back and leaves. */
  endProbe(probe: Probe): void {
    this.probes = this.probes.filter((other) => other !== probe);
    if (probe.kills !== null) {
      this.own.save(probe.kills, 'error');
      this.killing.delete(probe.kills);
    }
    for (const {connection} of probe.connections) probe.server.disconnect(connection);
  }

  private settle(): void {
    for (let round = 0; round < 4; round += 1) {
      for (const worker of [...this.workers]) {
        const phase = worker.execution?.phase;
        if (phase === 'working' || phase === 'child' || (phase === 'waits' && round > 0)) continue;
        this.stepWorker(worker, 0);
      }
    }
  }

  /** gearmand ends, which takes longer than a worker takes to its first log line. */
  stopServer(server: Gearmand): void {
    this.hiddenWorkersBegin();
    server.stop();
  }

  /** Between the assignment and the first log line are milliseconds. */
  private hiddenWorkersBegin(): void {
    if (HIDDEN_WORKERS_WAIT_BEFORE_THE_FIRST_LINE) return;
    for (const worker of this.workers)
      if (isHidden(worker) && worker.execution?.phase === 'grabbed') this.stepWorker(worker, 0);
  }

  /** Workers that the scan leaves out log something every five minutes, and their imports end by then. */
  private unscannedWorkersLog(): void {
    const before = this.clock.nowMs - 5 * MINUTE;
    for (const child of this.children) if (!child.scanned && child.startedMs <= before) this.endChild(child);
    for (const {scanned, execution} of this.workers) {
      const last = execution && this.own.rows.get(execution.jobId)?.log.at(-1);
      if (!scanned && execution?.phase === 'working' && last && last.atMs <= before)
        this.own.log(execution.jobId, 'info', this.clock.nowMs);
    }
  }

  /** One step of a worker, with the end of a child that it starts. */
  stepWorker(worker: Worker, choice: number): string | null {
    const said = step(worker, choice, this.context);
    const child = worker.execution?.child;
    if (child && !this.children.includes(child) && worker.execution?.phase === 'child')
      this.children.push(child);
    return said;
  }

  /**
   * A web request: refused unless the last server of the list has a worker for the function (QubitJob::
   * checkWorkerAvailable), then the row, then the submission after `delayMs`; `fails` leaves the row alone (run, 2.8.2).
   */
  request(kind: number, delayMs: number, fails: boolean): string | null {
    const job = JOB_CLASSES[kind % JOB_CLASSES.length]!;
    const {servers, workersKey} = this.configuration('web');
    const name = prefixOf(this.own.release.root, workersKey) + job.class;
    const last = this.server(servers.at(-1)!);
    if (!last.up || last.capable(name) === 0) return null;
    const row = this.own.insert(job, this.clock.nowMs);
    const said = `A web request inserts row ${row.id} (${describe(job)})`;
    if (fails) return `${said}; its submission fails.`;
    const submission = {
      payload: payloadOf(row),
      function: name,
      // Net_Gearman_Task: md5(function . serialize(parameters) . type), so one job has one key for one function.
      key: keyOf(name, row.id),
      servers: servers.map((address) => this.server(address)),
      dueMs: this.clock.nowMs + Math.min(delayMs, SUBMIT_WITHIN_MS),
    };
    if (submission.dueMs > this.clock.nowMs) {
      this.submissions.push(submission);
      return `${said} and will submit it.`;
    }
    return `${said} and submits it to ${this.submit(submission)}.`;
  }

  /** An operator inserts a row with the parameters of an import, the same upload among them, and submits it. */
  importAgain({job, upload}: Row): string | null {
    const {servers, workersKey} = this.configuration('web');
    if (!servers.some((address) => this.server(address).up)) return null;
    const row = this.own.insert(job, this.clock.nowMs, upload);
    const name = prefixOf(this.own.release.root, workersKey) + job.class;
    const submission = {
      payload: payloadOf(row),
      function: name,
      key: keyOf(name, row.id),
      servers: servers.map((address) => this.server(address)),
      dueMs: this.clock.nowMs,
    };
    return `An operator submits the import of ${upload} again, as row ${row.id}, to ${this.submit(submission)}.`;
  }

  /** Net_Gearman_Client connects to the servers that are up and picks one by the key (Client.php, getConnection). */
  submit(submission: Submission): string {
    this.submissions = this.submissions.filter((other) => other !== submission);
    const up = submission.servers.filter((server) => server.up);
    if (up.length === 0) return 'no server';
    const server = up[submission.payload.jobId % up.length]!;
    server.submit(submission.function, submission.key, submission.payload);
    return server.address;
  }

  /** Starts a worker; null if no server takes its connection, which ends it (Worker.php, __construct). */
  startWorker(
    site: 'own' | 'other',
    host: HostName,
    {pid = this.newPid(), scanned = true}: {pid?: number; scanned?: boolean} = {},
  ): string | null {
    const configuration =
      site === 'own'
        ? this.configuration('worker')
        : {servers: this.servers.map((server) => server.address), workersKey: ''};
    const worker: Worker = {
      pid,
      host,
      scanned,
      site,
      prefix: site === 'own' ? prefixOf(this.own.release.root, configuration.workersKey) : this.otherPrefix,
      startedMs: this.clock.nowMs,
      servers: configuration.servers.map((address) => this.server(address)),
      connections: new Map(),
      retryAtMs: new Map(),
      round: null,
      execution: null,
      hung: false,
      endsAfterChild: false,
    };
    if (!connectAll(worker, this.clock.nowMs)) return null;
    this.workers.push(worker);
    return `Worker ${pid} of ${worker.prefix.slice(0, -1)} starts ${host === 'here' ? 'on this host' : `elsewhere (${host})`}${scanned ? '' : ", from an administrator's own account"}.`;
  }

  /** The process has gone. Its sockets stay open while its child holds them (run, 2.8.2: SIGKILL of the worker). */
  endWorker(worker: Worker, withChild: boolean): void {
    this.workers = this.workers.filter((other) => other !== worker);
    const child = this.children.find(({parent}) => parent === worker);
    if (child && !withChild) {
      child.parent = null;
      return;
    }
    this.children = this.children.filter((other) => other !== child);
    for (const [server, connection] of worker.connections) server.disconnect(connection);
  }

  /** csv:import ends: exec() returns in its worker, or the sockets of a dead worker close. */
  endChild(child: ImportChild): void {
    this.children = this.children.filter((other) => other !== child);
    const {parent} = child;
    if (!parent) {
      for (const [server, connection] of child.connections) server.disconnect(connection);
      return;
    }
    if (parent.execution) {
      parent.execution.phase = 'working';
      parent.execution.child = null;
    }
    // SIGTERM is handled after exec() returned: the worker ends without saving the row (run, 2.8.2).
    if (parent.endsAfterChild && !parent.hung) this.endWorker(parent, false);
  }

  /** A worker that hung goes on; if its child has ended meanwhile, it handles the SIGTERM that came before. */
  goOn(worker: Worker): void {
    worker.hung = false;
    if (worker.endsAfterChild && worker.execution?.phase !== 'child') this.endWorker(worker, false);
  }

  /** A host without power: nothing there runs, no server hears of it. */
  powerOff(host: HostName): number {
    const gone = this.workers.filter((worker) => worker.host === host);
    for (const worker of gone) {
      for (const [server, connection] of worker.connections) this.halfOpen.push({server, connection});
    }
    const children = this.children.filter((child) => child.host === host);
    for (const child of children.filter(({parent}) => parent === null)) {
      for (const [server, connection] of child.connections) this.halfOpen.push({server, connection});
    }
    this.workers = this.workers.filter((worker) => worker.host !== host);
    this.children = this.children.filter((child) => child.host !== host);
    return gone.length + children.length;
  }

  /**
   * What a job really is at this moment. `executing`: a worker or its import works on it, or a server has assigned it to a
   * connection whose end it has not noticed: a dead host's half-open connection looks the same. `queued`: a
   * server will hand it out, or its web request will submit it. A job between its last log line and the word to Gearman
   * is executing and finished.
   */
  truth(id: number): Set<TrueState> {
    const states = new Set<TrueState>();
    for (const {execution, site} of this.workers) {
      if (execution?.jobId !== id || site !== 'own') continue;
      states.add('executing');
      if (execution.phase === 'finished' || execution.phase === 'failed') states.add('finished');
    }
    if (this.children.some((child) => child.jobId === id)) states.add('executing');
    if (this.submissions.some(({payload}) => payload.jobId === id)) states.add('queued');
    for (const server of this.servers) {
      for (const entry of server.entries()) {
        if (entry.payload.site !== 'own' || entry.payload.jobId !== id) continue;
        if (entry.holder && !this.isProbe(entry.holder)) states.add('executing');
        else if (!entry.ignored) states.add('queued');
      }
    }
    if (states.size > 0 || this.killing.has(id)) return states;
    const row = this.own.rows.get(id);
    states.add(row?.status !== 'running' || hasFinished(row) ? 'finished' : 'lost');
    return states;
  }

  /**
   * What runs and no row shows: a job whose row was deleted or ended by hand, or that was submitted twice, or that is another
   * site's under this site's prefix, by class; and an import whose row was deleted, by its file.
   */
  strays(): {classes: Set<string>; files: Set<string>} {
    const entries = this.servers.flatMap((server) => server.entries());
    const own = entries.filter(({payload}) => payload.site === 'own');
    const isGone = ({ignored, holder}: Entry) => ignored && holder === null;
    const isTwice = (entry: Entry) =>
      own.some((other) => other !== entry && other.payload.jobId === entry.payload.jobId && !isGone(other));
    const isStray = (entry: Entry) =>
      entry.payload.site === 'other' || !this.isShown(entry) || isTwice(entry);
    const {prefixes} = this;
    const names = entries
      .filter((entry) => entry.holder !== null && isStray(entry))
      .map((entry) => entry.function)
      .filter((name) => prefixes.has(name.slice(0, name.lastIndexOf('-') + 1)));
    // The database still shows the file of a row that was ended by hand.
    const children = this.children.filter(({jobId}) => !this.own.rows.has(jobId));
    return {
      classes: new Set(names.map((name) => name.slice(name.lastIndexOf('-') + 1))),
      files: new Set(children.map(({file}) => file)),
    };
  }

  /** Its row says Running, or its worker has just saved it and will tell Gearman. */
  private isShown(entry: Entry): boolean {
    const row = this.own.rows.get(entry.payload.jobId);
    const isEnding = (phase: Phase | undefined) =>
      phase === 'saved' || phase === 'failed' || phase === 'finished';
    return (
      row?.status === 'running' ||
      (row !== undefined &&
        this.workers.some(({execution}) => execution?.entry === entry && isEnding(execution.phase)))
    );
  }

  /** A worker that has logged the start of the job, or its import, works on it. */
  isAtWork(id: number): boolean {
    return (
      this.workers.some(
        ({site, execution}) => site === 'own' && execution?.jobId === id && execution.phase !== 'grabbed',
      ) || this.children.some(({jobId}) => jobId === id)
    );
  }

  isProbe(connection: Connection): boolean {
    return connection.id.startsWith('atomctl-');
  }

  /** The rows as a client of the database sees them. */
  visibleRows(): ReadonlyMap<number, Row> {
    return this.setup.replica ? this.replicaRows : this.own.rows;
  }
}

/** No scan of this host shows the worker. */
export function isHidden({host, scanned}: Worker): boolean {
  return host !== 'here' || !scanned;
}

/** After its last `Job started.` the log has `Job finished.`. */
export function hasFinished(row: Row): boolean {
  return afterLastStart(row).some((line) => line.kind === 'finished');
}

export function afterLastStart(row: Row): Row['log'] {
  return row.log.slice(row.log.findLastIndex((line) => line.kind === 'started') + 1);
}

function describe({name, parameters, fault, verbose}: JobClass): string {
  const parts = [
    name,
    `parameters: ${parameters}`,
    ...(fault === 'none' ? [] : [fault]),
    ...(verbose ? ['verbose'] : []),
  ];
  return parts.join(', ').replace(', parameters: plain', '');
}

/** The parameters that AtoM sends (QubitJob::runJob, 2.8.2): the name always, the object if the job has one. */
export function payloadOf({id, job, objectId, upload}: Row): Payload {
  return {site: 'own', jobId: id, name: job.name, objectId, upload};
}

/** The key under which a job is submitted for a function. */
export function keyOf(name: string, id: number): string {
  return `${name}:${id}`;
}
