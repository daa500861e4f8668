import {splitFunctionName} from '../../queue/function-name.ts';
import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import type {LiveEvidence, RowEvidence, WorkerConnection} from '../live/evidence.ts';
import type {LiveReport} from '../live/live-state.ts';
import {NEW_ROW_MS} from '../live/lost-proof.ts';

/** Jobs that wait although workers that can run them execute nothing. */
export interface Stall {
  jobClasses: string[];
  /** Jobs that wait. */
  waiting: number;
  /** When the oldest of the rows that likely wait was created, epoch milliseconds; null if the clock is wrong. */
  sinceMs: number | null;
  /** The workers that can run them, each once. */
  workers: StalledWorker[];
  /** How many of these execute nothing, at least. */
  idle: number;
}

export interface StalledWorker {
  /** As the worker calls itself: `pid_<PID>_<hex>` for AtoM's. */
  id: string;
  /** null if the id is not AtoM's. */
  pid: number | null;
  ip: string;
  /** A server to which it is connected, `host:port`. */
  server: string;
}

/** What one snapshot shows: not a stall yet, since a worker that is called takes a moment. */
export interface SuspectedStall extends Stall {
  /** The rows that likely wait. */
  rowIds: number[];
}

/**
 * A worker executes one job at a time. So of the workers that can run a waiting job, more than there are running jobs
 * in all that they can do means that some execute nothing. Only workers that are connected to every server count: one
 * that lost a server may still be executing that server's job.
 * @param ignored cancelled entries by server address, which are counted and wait for nobody
 */
export function suspectStalls(
  {evidence, verdicts}: Pick<LiveReport, 'evidence' | 'verdicts'>,
  options: {ignored: ReadonlyMap<string, number>; nowMs: number},
): SuspectedStall[] {
  const {servers, queues, workers} = evidence;
  if (servers.some(({error, probing}) => error !== null || probing)) return [];
  const able = ableWorkers(workers, servers.length);
  const running = new Map(queues.map((count) => [count.queue, count.running]));
  const stalls = new Map<string, SuspectedStall>();
  for (const {queue, server, owner, total, running: busy, ...counted} of queues) {
    const waiting = total - busy - (options.ignored.get(server) ?? 0);
    if (owner !== 'site' || waiting <= 0) continue;
    const capable = able.filter((worker) => worker.queues.has(queue));
    const around = new Set(capable.flatMap((worker) => [...worker.queues]));
    const executing = [...around].reduce((sum, name) => sum + (running.get(name) ?? 0), 0);
    const idle = capable.length - executing;
    const rows = waitingRows(evidence, verdicts, queue);
    if (idle <= 0 || rows.length === 0) continue;
    const sinceMs = waitingSince(rows, waiting, options.nowMs);
    if (sinceMs !== null && options.nowMs - sinceMs < NEW_ROW_MS) continue;
    addStall(stalls, {
      jobClasses: [splitFunctionName(counted.function).jobClass],
      waiting,
      sinceMs,
      workers: capable.map(({id, pid, ip}) => ({id, pid, ip, server})),
      idle,
      rowIds: rows.map(({id}) => id),
    });
  }
  return [...stalls.values()];
}

/** What both snapshots show, if no job that waited was begun or ended between them. */
export function lastingStalls(first: readonly SuspectedStall[], second: readonly SuspectedStall[]): Stall[] {
  const before = new Map(first.map((stall) => [keyOf(stall), stall]));
  return second.flatMap(({rowIds, ...stall}) => {
    const earlier = before.get(keyOf(stall));
    const still = new Set(rowIds);
    if (earlier === undefined || !earlier.rowIds.every((id) => still.has(id))) return [];
    return [
      {...stall, waiting: Math.min(stall.waiting, earlier.waiting), idle: Math.min(stall.idle, earlier.idle)},
    ];
  });
}

interface AbleWorker {
  id: string;
  pid: number | null;
  ip: string;
  queues: Set<string>;
  connections: number;
}

/** The workers that are connected to every server, each once; not atomctl's, nor one whose other jobs are not counted. */
function ableWorkers(connections: readonly WorkerConnection[], servers: number): AbleWorker[] {
  const workers = new Map<string, AbleWorker>();
  const others = new Set<string>();
  for (const {id, pid, ip, queues, doesOthers} of connections) {
    if (claimsToBeProbe(id)) continue;
    if (doesOthers) others.add(id);
    const worker = workers.get(id) ?? {id, pid, ip, queues: new Set(), connections: 0};
    workers.set(id, worker);
    worker.connections += 1;
    for (const queue of queues) worker.queues.add(queue);
  }
  return [...workers.values()].filter((worker) => worker.connections === servers && !others.has(worker.id));
}

function waitingRows({rows}: LiveEvidence, verdicts: LiveReport['verdicts'], queue: string): RowEvidence[] {
  return rows.filter((row) => {
    const {state, likely} = verdicts.get(row.id)!;
    if (state !== 'queued' && likely !== 'queued') return false;
    return row.known === null ? row.queues.includes(queue) : row.known.queue === queue;
  });
}

/**
 * Of more rows than jobs that wait, the oldest may be without a job: then the newest of them count. A job that began
 * before has waited since its last log line at the earliest.
 */
function waitingSince(rows: readonly RowEvidence[], waiting: number, nowMs: number): number | null {
  const times = rows
    .flatMap(({createdMs, begun, lastActivityMs}) => (begun === null ? createdMs : lastActivityMs) ?? [])
    .sort((one, other) => other - one)
    .slice(0, waiting);
  const oldest = times.at(-1);
  return oldest === undefined || oldest > nowMs ? null : oldest;
}

function addStall(stalls: Map<string, SuspectedStall>, stall: SuspectedStall): void {
  const known = stalls.get(keyOf(stall));
  if (known === undefined) {
    stalls.set(keyOf(stall), stall);
    return;
  }
  known.jobClasses = [...new Set([...known.jobClasses, ...stall.jobClasses])].sort();
  known.waiting += stall.waiting;
  known.sinceMs = earlier(known.sinceMs, stall.sinceMs);
  known.rowIds = [...new Set([...known.rowIds, ...stall.rowIds])];
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function keyOf({workers}: Pick<Stall, 'workers'>): string {
  return workers
    .map(({id}) => id)
    .sort()
    .join('\n');
}
