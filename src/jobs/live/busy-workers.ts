import {claimsToBeProbe} from '../../queue/probe/probe-id.ts';
import type {QueueWorker} from '../../queue/workers.ts';
import type {RowEvidence, WorkerConnection} from './evidence.ts';
import type {LiveReport} from './live-state.ts';

/** A job that a worker executes. */
export interface WorkersJob {
  id: number;
  name: string;
  /** When a worker began it, the last time; epoch milliseconds, null if the log does not say. */
  begunMs: number | null;
}

/** A worker of this site and what it is busy with. */
export interface BusyWorker {
  /** As the worker calls itself. */
  id: string;
  /** null if the id is not AtoM's. */
  pid: number | null;
  ip: string;
  /** The job that it executes, if no other worker can have it; otherwise null. */
  executes: WorkersJob | null;
  /** Jobs that it may execute: it is one of several workers that can. */
  mayExecute: readonly WorkersJob[];
}

/** A worker with what it is busy with, as `queue:workers --json` prints it. */
export interface ShownWorker extends QueueWorker {
  /** The job that it executes; null if none is known. */
  executes: {id: number; name: string; begunAt: string | null} | null;
  /** Ids of jobs that it or another worker executes. */
  mayExecute: number[];
}

type Report = Pick<LiveReport, 'evidence' | 'verdicts'>;

/**
 * Gearman does not tell which worker has which job. But a worker executes one job at a time, and only one that it can do: if
 * one worker alone can have a job, it has that one and none of the others. A worker may be connected to a server that did not
 * answer, so then nothing is concluded.
 */
export function busyWorkers({evidence, verdicts}: Report): BusyWorker[] {
  const workers = workersById(evidence.workers);
  const allAnswered = evidence.servers.every(({error}) => error === null);
  const open: {row: RowEvidence; proved: boolean; able: Worker[]}[] = [];
  for (const row of evidence.rows) {
    const {state, likely} = verdicts.get(row.id)!;
    if ((likely ?? state) !== 'executing') continue;
    open.push({row, proved: allAnswered && state === 'executing', able: ableTo(workers, row)});
  }
  const known = new Map<Worker, RowEvidence>();
  const isFree = (worker: Worker) => !known.has(worker);
  for (;;) {
    const at = open.findIndex(({proved, able}) => proved && able.filter(isFree).length === 1);
    const [found] = at === -1 ? [] : open.splice(at, 1);
    if (found === undefined) break;
    known.set(found.able.find(isFree)!, found.row);
  }
  return workers.map((worker) => {
    const row = known.get(worker);
    const others = row === undefined ? open.filter(({able}) => able.includes(worker)) : [];
    const {id, pid, ip} = worker;
    return {
      ...{id, pid, ip},
      executes: row === undefined ? null : jobOf(row),
      mayExecute: others.map((other) => jobOf(other.row)),
    };
  });
}

/** The workers that can run a job that waits; none also for a row that the report does not have. */
export function workersFor(report: Report, id: number): BusyWorker[] {
  const row = report.evidence.rows.find((each) => each.id === id);
  if (row === undefined) return [];
  const able = new Set(ableTo(workersById(report.evidence.workers), row).map((worker) => worker.id));
  return busyWorkers(report).filter((worker) => able.has(worker.id));
}

interface Worker {
  id: string;
  pid: number | null;
  ip: string;
  queues: Set<string>;
}

/** Each once, however many servers it is connected to; not atomctl's. */
function workersById(connections: readonly WorkerConnection[]): Worker[] {
  const workers = new Map<string, Worker>();
  for (const {id, pid, ip, queues} of connections) {
    if (claimsToBeProbe(id)) continue;
    const worker = workers.get(id) ?? {id, pid, ip, queues: new Set()};
    workers.set(id, worker);
    for (const queue of queues) worker.queues.add(queue);
  }
  return [...workers.values()];
}

/** The workers that can do what Gearman has, or may have, of this row. */
function ableTo(workers: readonly Worker[], {known, queues}: RowEvidence): Worker[] {
  const places = known === null ? queues : [known.queue];
  return workers.filter((worker) => places.some((queue) => worker.queues.has(queue)));
}

function jobOf({id, name, begun}: RowEvidence): WorkersJob {
  return {id, name, begunMs: begun?.lastMs ?? null};
}
