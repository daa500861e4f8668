/** What a hold waits for before its command runs: jobs that workers execute, and serial jobs that it leaves to a worker. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {SiteTime} from '../../atom/site-time.ts';
import {counted} from '../../counted.ts';
import {busyWorkers} from '../live/busy-workers.ts';
import {type CollectOptions, collectEvidence} from '../live/collect-evidence.ts';
import type {LiveEvidence, RowEvidence} from '../live/evidence.ts';
import {type LiveVerdict, liveVerdicts} from '../live/verdict.ts';
import type {HeldQueue, LeftJobs} from './held-queue.ts';

/** A job whose end a hold waits for. */
export interface ExecutedJob {
  id: number;
  name: string;
  /** As it calls itself, and its address; null if Gearman does not show which of several workers has the job. */
  worker: {id: string; host: string} | null;
  /** When the worker began it, ISO 8601; null if its log does not say. */
  since: string | null;
}

/** Serial jobs of a class that stay in the queue: AtoM runs them one at a time, and a free worker may be handed one. */
export interface LeftClass {
  jobClass: string;
  count: number;
  /** null if it is not known which rows these are. */
  ids: number[] | null;
}

export interface WaitsFor {
  executing: ExecutedJob[];
  /** Executing jobs beside these, whose ids are not known. */
  unnamed: number;
  left: LeftClass[];
}

/**
 * Reads the evidence as for a live state, and leaves out what the hold itself has: its jobs count as running, and its lock would
 * make every state uncertain.
 * @param seen what the servers have beside the held jobs
 * @throws AtomctlError for the database
 */
export async function whatHoldWaitsFor(
  options: CollectOptions,
  queue: HeldQueue,
  seen: {left: readonly LeftJobs[]; executing: number},
): Promise<WaitsFor> {
  const evidence = withoutHold((await collectEvidence(options)).evidence, queue);
  const verdicts = liveVerdicts(evidence);
  const stateOf = ({id}: RowEvidence) => verdicts.get(id)!.likely ?? verdicts.get(id)!.state;
  const rows = evidence.rows.filter((row) => stateOf(row) === 'executing');
  const executing = executedJobs({evidence, verdicts}, rows, options.time);
  const others = evidence.rows.filter((row) => !rows.includes(row));
  return {
    executing,
    unnamed: Math.max(0, seen.executing - executing.length),
    left: seen.left.map(({jobClass, count}) => {
      const ids = others.filter(({name}) => mayBeFunctionOf(name, jobClass)).map(({id}) => id);
      return {jobClass, count, ids: ids.length === count ? ids : null};
    }),
  };
}

function executedJobs(
  report: {evidence: LiveEvidence; verdicts: ReadonlyMap<number, LiveVerdict>},
  rows: readonly RowEvidence[],
  time: SiteTime,
): ExecutedJob[] {
  const workers = busyWorkers(report);
  return rows.map(({id, name, begun}) => {
    const worker = workers.find(({executes}) => executes?.id === id);
    const begunMs = begun?.lastMs ?? null;
    return {
      id,
      name,
      worker: worker === undefined ? null : {id: worker.id, host: worker.ip},
      since: begunMs === null ? null : time.toIso(time.toWall(new Date(begunMs))),
    };
  });
}

function withoutHold(evidence: LiveEvidence, queue: HeldQueue): LiveEvidence {
  const {ids, counts} = queue.heldJobs();
  return {
    ...evidence,
    rows: evidence.rows.filter(({id}) => !ids.has(id)),
    queues: evidence.queues.map((row) => {
      const ours = counts.get(row.queue) ?? 0;
      return {...row, total: row.total - ours, running: row.running - ours};
    }),
    servers: evidence.servers.map((server) => ({...server, probing: false})),
    workers: evidence.workers.filter(({id}) => id !== queue.id),
  };
}

/** One sentence for the executing jobs, and one for each class that is left. */
export function waitsForText({executing, unnamed, left}: WaitsFor): string {
  const named = executing.map(executedText);
  if (unnamed > 0)
    named.push(`${counted(unnamed, 'job')} whose ${unnamed === 1 ? 'id is' : 'ids are'} not known`);
  const sentences = named.length === 0 ? [] : [`Waiting for the end of ${named.join('; ')}.`];
  return [...sentences, ...left.map((each) => leftText(each, {over: false}))].join(' ');
}

export function executedText({id, name, worker, since}: ExecutedJob): string {
  const by = worker === null ? 'a worker executes it' : `worker ${worker.id} on ${worker.host} executes it`;
  return `job ${id} (${name}): ${by}${since === null ? '' : ` since ${since}`}`;
}

/** @param over the wait has ended, and the command does not run */
export function leftText({jobClass, count, ids}: LeftClass, {over}: {over: boolean}): string {
  const which = ids === null ? '' : ` (${ids.join(', ')})`;
  const before = over ? '' : ' and will be executed before the command runs';
  return `${counted(count, 'job')} of ${jobClass}${which} ${count === 1 ? 'stays' : 'stay'} in the queue${before}: AtoM executes such jobs one at a time in their order, so they are not taken while a worker for them is free or is not stopped.`;
}

/** Adds what a hold waits for now to what it has waited for: each job once. */
export function addWaits(all: WaitsFor, now: WaitsFor): void {
  for (const job of now.executing) {
    const at = all.executing.findIndex(({id}) => id === job.id);
    if (at === -1) all.executing.push(job);
    else all.executing[at] = job;
  }
  all.unnamed = now.unnamed;
  all.left = now.left;
}
