import type {AtomSite} from './atom-site.ts';
import {ABILITIES, type JobClass} from './classes.ts';
import {SECOND} from './clock.ts';
import type {Connection, Entry, Gearmand} from './gearmand.ts';

export type HostName = 'here' | 'remote' | 'container';

/** A child `php symfony csv:import`; it holds its worker's sockets until it ends (run, 2.8.2: SIGKILL of the worker). */
export interface ImportChild {
  pid: number;
  host: HostName;
  /** As its worker. */
  scanned: boolean;
  startedMs: number;
  file: string;
  jobId: number;
  connections: Map<Gearmand, Connection>;
  parent: Worker | null;
}

/**
 * Where a job is in its worker: arBaseJob::run (2.8.2). `grabbed`: nothing is logged yet. `waits`: the serial guard.
 * `saved`: the row says completed, `Job finished.` comes after it. `finished`: logged, Gearman does not know yet.
 */
export type Phase = 'grabbed' | 'started' | 'waits' | 'working' | 'child' | 'saved' | 'failed' | 'finished';

export interface Execution {
  jobId: number;
  /** What the row said when the worker was assigned the job; null for a payload of the other site. */
  job: JobClass | null;
  entry: Entry;
  server: Gearmand;
  connection: Connection;
  phase: Phase;
  waits: number;
  lines: number;
  child: ImportChild | null;
}

/** One pass of beginWork over the connections; a job in it may take hours. */
export interface Round {
  /** When it began: servers that are found lost in it count as lost since then. */
  startedMs: number;
  left: Gearmand[];
  worked: boolean;
}

/** A process `php symfony jobs:worker`: vendor/net_gearman Worker.php (AtoM 2.8.2). */
export interface Worker {
  pid: number;
  host: HostName;
  /**
   * False if an administrator started it by hand, from an account that the site's files do not belong to: a scan leaves
   * out whatever such an account runs (src/host/site-processes.ts), since anybody can start what looks like a worker.
   */
  scanned: boolean;
  /** The second site's worker does its own rows only. */
  site: 'own' | 'other';
  prefix: string;
  startedMs: number;
  servers: readonly Gearmand[];
  connections: Map<Gearmand, Connection>;
  /** When it tries a lost server again: whole seconds. */
  retryAtMs: Map<Gearmand, number>;
  /** The round of its servers that it is in; null between two rounds. */
  round: Round | null;
  execution: Execution | null;
  /** Stopped, or waits for the database: does nothing, closes nothing. */
  hung: boolean;
  /** SIGTERM came while exec() waits for the child (run, 2.8.2: SIGTERM during an import). */
  endsAfterChild: boolean;
}

export interface WorkerContext {
  nowMs: number;
  own: AtomSite;
  /** Ids of the second site's rows. */
  otherRows: Set<number>;
  newPid(): number;
  /** The process ends by itself. */
  dies(worker: Worker): void;
}

/** IPs that `workers` shows. */
const IP: Record<HostName, string> = {here: '127.0.0.1', remote: '10.0.0.7', container: '172.17.0.3'};

/** The constructor connects to every server; the rest is tried again later (Worker.php, __construct). */
export function connectAll(worker: Worker, nowMs: number): boolean {
  for (const server of worker.servers) connectTo(worker, server, nowMs);
  return worker.connections.size > 0;
}

function connectTo(worker: Worker, server: Gearmand, nowMs: number): void {
  if (!server.up || (server.onlyLoopback && worker.host !== 'here')) {
    worker.retryAtMs.set(server, retryAt(nowMs));
    return;
  }
  worker.retryAtMs.delete(server);
  worker.connections.set(
    server,
    server.connect(
      `pid_${worker.pid}_${worker.startedMs.toString(16)}`,
      IP[worker.host],
      ABILITIES.map((ability) => worker.prefix + ability),
    ),
  );
}

/**
 * The next thing that an idle or executing worker does, as a sentence; null if it does nothing. `choice` decides what the
 * job does.
 */
export function step(worker: Worker, choice: number, context: WorkerContext): string | null {
  if (worker.hung) return null;
  return worker.execution ? work(worker, worker.execution, choice, context) : poll(worker, context);
}

/** A lost server is tried again more than five whole seconds later (Worker.php, beginWork: `$retryTime`). */
function retryAt(lostMs: number): number {
  return (Math.floor(lostMs / SECOND) + 6) * SECOND;
}

/**
 * Worker.php, beginWork, up to the next job or to the sleep after a round without one: it asks each server, goes on with
 * the next one after a job, notices broken connections, and tries lost servers again after the round.
 */
function poll(worker: Worker, context: WorkerContext): string | null {
  let connected = false;
  for (;;) {
    worker.round ??= {startedMs: context.nowMs, left: [...worker.connections.keys()], worked: false};
    const {round} = worker;
    for (let server = round.left.shift(); server; server = round.left.shift()) {
      const connection = worker.connections.get(server)!;
      if (connection.broken) {
        worker.connections.delete(server);
        worker.retryAtMs.set(server, retryAt(round.startedMs));
        continue;
      }
      const entry = server.grab(connection);
      if (!entry) continue;
      round.worked = true;
      return begin(worker, server, connection, entry, context);
    }
    worker.round = null;
    for (const [server, atMs] of [...worker.retryAtMs]) {
      if (atMs > round.startedMs) continue;
      connectTo(worker, server, round.startedMs);
      connected ||= worker.connections.has(server);
    }
    if (!round.worked) return connected ? `Worker ${worker.pid} connects again.` : null;
  }
}

function begin(
  worker: Worker,
  server: Gearmand,
  connection: Connection,
  entry: Entry,
  context: WorkerContext,
): string {
  const {jobId, site} = entry.payload;
  const said = `Worker ${worker.pid} is assigned ${site === 'own' ? '' : "the other site's "}job ${jobId} (${entry.function}) by ${server.address}`;
  // Two sites with one prefix: the payload's id is looked up in the worker's own database.
  const known = worker.site === 'own' ? context.own.rows.has(jobId) : context.otherRows.has(jobId);
  // arBaseJob::run: invalid id or a missing parameter is WORK_FAIL, without a line (run).
  const job = (worker.site === 'own' && site === 'own' && context.own.rows.get(jobId)?.job) || null;
  const fault = job?.fault === 'no-id';
  if (!known || fault) {
    server.end(connection, entry);
    return `${said} and fails it at once (${known ? 'missing parameter' : 'no such row'}).`;
  }
  worker.execution = {
    jobId,
    job,
    entry,
    server,
    connection,
    phase: 'grabbed',
    waits: 0,
    lines: 0,
    child: null,
  };
  return `${said}.`;
}

function work(worker: Worker, execution: Execution, choice: number, context: WorkerContext): string {
  const {jobId} = execution;
  const who = `Worker ${worker.pid}`;
  if (worker.site === 'other') {
    context.otherRows.delete(jobId);
    tell(worker, execution);
    return `${who} ends the other site's job ${jobId}.`;
  }
  const {own, nowMs} = context;
  const {job} = execution;
  switch (execution.phase) {
    case 'grabbed':
      own.log(jobId, 'started', nowMs);
      execution.phase = 'started';
      return `${who} logs "Job started." for job ${jobId}.`;
    case 'started':
    case 'waits':
      return guard(worker, execution, context);
    case 'child':
      return `${who} waits for the child of job ${jobId}.`;
    case 'working': {
      if (job?.verbose && execution.lines === 1) {
        own.fillLog(jobId);
        execution.lines += 1;
        return `The log of job ${jobId} is full.`;
      }
      if (choice % 5 < 2) {
        own.log(jobId, 'info', nowMs);
        execution.lines += 1;
        return `${who} logs a line of job ${jobId}.`;
      }
      // After an exception there is no "Job finished." (run, 2.8.2).
      if (choice % 5 === 4) return fail(worker, execution, choice % 2 === 0 ? 'failed' : 'saved', context);
      if (job?.fault === 'forgets') {
        own.log(jobId, 'finished', nowMs);
        execution.phase = 'finished';
        return `${who} logs "Job finished." for job ${jobId}, whose class saves no status.`;
      }
      // setStatusCompleted() and save() stand at the end of runJob(), before "Job finished." (arBaseJob::run).
      own.save(jobId, 'completed');
      execution.phase = 'saved';
      return `${who} saves row ${jobId} as completed.`;
    }
    case 'saved':
      own.log(jobId, 'finished', nowMs);
      execution.phase = 'finished';
      return `${who} logs "Job finished." for job ${jobId}.`;
    case 'failed':
    case 'finished':
      tell(worker, execution);
      return `${who} tells Gearman that job ${jobId} has ended.`;
  }
}

/** WORK_COMPLETE on the connection that assigned the job: nobody hears it if the server was restarted. */
function tell(worker: Worker, execution: Execution): void {
  execution.server.end(execution.connection, execution.entry);
  worker.execution = null;
}

/**
 * arBaseJob::error: an [err] line, a note and the status in one call. Without a row the database refuses the note, and the
 * exception, which doWork does not catch, ends the worker (2.8.2: QubitJob::addNoteText, Worker.php).
 */
function fail(
  worker: Worker,
  execution: Execution,
  phase: 'failed' | 'saved',
  {own, nowMs, dies}: WorkerContext,
): string {
  const {jobId} = execution;
  if (!own.rows.has(jobId)) {
    dies(worker);
    return `Worker ${worker.pid} ends by an exception: job ${jobId} failed and has no row.`;
  }
  own.log(jobId, 'error', nowMs);
  own.save(jobId, 'error');
  execution.phase = phase;
  return `Worker ${worker.pid} logs an error of job ${jobId} and saves its row.`;
}

function guard(worker: Worker, execution: Execution, context: WorkerContext): string {
  const {jobId} = execution;
  const {own, nowMs} = context;
  if (execution.job?.serial && !own.isOldestSerial(jobId)) {
    // canBeFullyExecuted throws if no serial row runs any more: this job's was marked or deleted (2.8.2).
    const gaveUp = execution.waits === 10 || own.oldestSerial() === undefined;
    if (gaveUp) return fail(worker, execution, 'failed', context);
    execution.waits += 1;
    execution.phase = 'waits';
    own.log(jobId, 'waits', nowMs);
    return `Job ${jobId} waits ten seconds for another serial job.`;
  }
  own.log(jobId, 'parameters', nowMs);
  if (!execution.job?.child) {
    execution.phase = 'working';
    return `Worker ${worker.pid} logs the parameters of job ${jobId}.`;
  }
  execution.phase = 'child';
  execution.child = {
    pid: context.newPid(),
    host: worker.host,
    scanned: worker.scanned,
    startedMs: nowMs,
    file: execution.entry.payload.upload!,
    jobId,
    connections: new Map(worker.connections),
    parent: worker,
  };
  return `Worker ${worker.pid} logs the parameters of job ${jobId} and starts csv:import (PID ${execution.child.pid}).`;
}
