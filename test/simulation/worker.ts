import type {AtomSite} from './atom-site.ts';
import {ABILITIES} from './classes.ts';
import {SECOND} from './clock.ts';
import type {Connection, Entry, Gearmand} from './gearmand.ts';

export type HostName = 'here' | 'remote' | 'container';

/** A child `php symfony csv:import`; it holds its worker's sockets until it ends (run, 2.8.2: SIGKILL of the worker). */
export interface ImportChild {
  pid: number;
  host: HostName;
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
  entry: Entry;
  server: Gearmand;
  connection: Connection;
  phase: Phase;
  waits: number;
  lines: number;
  child: ImportChild | null;
}

/** A process `php symfony jobs:worker`: vendor/net_gearman Worker.php (AtoM 2.8.2). */
export interface Worker {
  pid: number;
  host: HostName;
  /** The second site's worker does its own rows only. */
  site: 'own' | 'other';
  prefix: string;
  startedMs: number;
  servers: readonly Gearmand[];
  connections: Map<Gearmand, Connection>;
  /** When it tries a lost server again. */
  retryAtMs: Map<Gearmand, number>;
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
    worker.retryAtMs.set(server, nowMs + 6 * SECOND);
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

/** One round of beginWork: notices broken connections, grabs, and tries lost servers again after five seconds. */
function poll(worker: Worker, context: WorkerContext): string | null {
  for (const [server, connection] of [...worker.connections]) {
    if (connection.broken) {
      worker.connections.delete(server);
      worker.retryAtMs.set(server, context.nowMs + 6 * SECOND);
      continue;
    }
    const entry = server.grab(connection);
    if (!entry) continue;
    return begin(worker, server, connection, entry, context);
  }
  let connected = false;
  for (const [server, atMs] of [...worker.retryAtMs]) {
    if (atMs > context.nowMs) continue;
    connectTo(worker, server, context.nowMs);
    connected ||= worker.connections.has(server);
  }
  return connected ? `Worker ${worker.pid} connects again.` : null;
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
  const fault = worker.site === 'own' && context.own.rows.get(jobId)?.job.fault === 'no-id';
  if (!known || fault) {
    server.end(connection, entry);
    return `${said} and fails it at once (${known ? 'missing parameter' : 'no such row'}).`;
  }
  worker.execution = {jobId, entry, server, connection, phase: 'grabbed', waits: 0, lines: 0, child: null};
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
  const job = own.rows.get(jobId)?.job;
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
      if (!job || choice % 5 === 4) {
        // arBaseJob::error: [err] line and status in one call; after an exception no "Job finished." (run, 2.8.2).
        own.log(jobId, 'error', nowMs);
        own.save(jobId, 'error');
        execution.phase = choice % 2 === 0 ? 'failed' : 'saved';
        return `${who} logs an error of job ${jobId} and saves its row.`;
      }
      if (job.fault === 'forgets') {
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

function guard(worker: Worker, execution: Execution, context: WorkerContext): string {
  const {jobId} = execution;
  const {own, nowMs} = context;
  const row = own.rows.get(jobId);
  if (row?.job.serial && !own.isOldestSerial(jobId)) {
    if (execution.waits === 10) {
      own.log(jobId, 'error', nowMs);
      own.save(jobId, 'error');
      execution.phase = 'failed';
      return `Job ${jobId} gives up after ten waits for another serial job.`;
    }
    execution.waits += 1;
    execution.phase = 'waits';
    own.log(jobId, 'waits', nowMs);
    return `Job ${jobId} waits ten seconds for another serial job.`;
  }
  own.log(jobId, 'parameters', nowMs);
  if (!row?.job.child) {
    execution.phase = 'working';
    return `Worker ${worker.pid} logs the parameters of job ${jobId}.`;
  }
  execution.phase = 'child';
  execution.child = {
    pid: context.newPid(),
    host: worker.host,
    startedMs: nowMs,
    file: row.upload!,
    jobId,
    connections: new Map(worker.connections),
    parent: worker,
  };
  return `Worker ${worker.pid} logs the parameters of job ${jobId} and starts csv:import (PID ${execution.child.pid}).`;
}
