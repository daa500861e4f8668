/**
 * From Gearman to the rows: what the servers have that no row explains, and workers that execute nothing while jobs
 * wait. Nothing is reported that was seen once only: between two moments of a busy queue, both are normal.
 */
import type {ServerConnection} from '../../gearman/server.ts';
import type {Queryable} from '../../mysql/database.ts';
import type {SeenProcess} from '../../processes/process-state.ts';
import {ignoredEntries} from '../live/ignored-entries.ts';
import type {LiveReport} from '../live/live-state.ts';
import {newestEndedRows} from '../model/running-jobs.ts';
import {type EndedJob, findEndedJobs} from './ended-jobs.ts';
import {lastingStalls, type Stall, type StalledWorker, suspectStalls} from './stalled-workers.ts';
import {findSurplus, lastingSurplus, type Surplus} from './surplus.ts';

/** Between the two snapshots: long compared with the moments that a worker needs between two jobs. */
const SECOND_SNAPSHOT_MS = 2000;
/** Rows that have ended are read from the newest. */
const ENDED_ROWS = 200;

export interface CrossCheck {
  surplus: Surplus[];
  /** Jobs of the surplus whose rows have ended, among the newest ended rows. */
  ended: EndedJob[];
  stalls: LocalStall[];
  /** Cancelled entries that the counts have beyond the rows, as far as they were looked for; gearmand removes them when a worker polls. */
  cancelled: number;
}

export interface LocalStall extends Omit<Stall, 'workers'> {
  workers: (StalledWorker & {
    /** The process if the worker runs on this host; null if it does not, or if that cannot be read. */
    seen: SeenProcess | null;
  })[];
}

export interface CrossCheckOptions {
  servers: readonly ServerConnection[];
  database: Queryable;
  /** Gathers the live report again. */
  again: () => Promise<LiveReport>;
  now: () => Date;
  /** Waits for milliseconds. */
  wait: (milliseconds: number) => Promise<void>;
  /** What /proc says about a worker's process; null if it is not on this host, or if that cannot be read. */
  workerProcess: (worker: StalledWorker) => Promise<SeenProcess | null>;
}

/** @throws AtomctlError for the database */
export async function crossCheck(report: LiveReport, options: CrossCheckOptions): Promise<CrossCheck> {
  const {servers, database, now} = options;
  if (findSurplus(report.evidence, NONE).length === 0 && suspectStalls(report, timed(NONE, now)).length === 0)
    return {surplus: [], ended: [], stalls: [], cancelled: 0};
  const ignored = await ignoredEntries(servers);
  const surplus = findSurplus(report.evidence, ignored);
  const stalls = suspectStalls(report, timed(ignored, now));
  if (surplus.length === 0 && stalls.length === 0)
    return {surplus, ended: [], stalls: [], cancelled: cancelledAmong(report, ignored)};

  const endedRows = surplus.length === 0 ? [] : await newestEndedRows(database, ENDED_ROWS);
  await options.wait(SECOND_SNAPSHOT_MS);
  const later = await options.again();
  const stillIgnored = await ignoredEntries(servers);
  const lasting = lastingSurplus(surplus, findSurplus(later.evidence, stillIgnored));
  const ended = await findEndedJobs(lasting.length === 0 ? [] : endedRows, {
    servers,
    surplus: lasting,
    ignored: stillIgnored,
  });
  const lastingStall = lastingStalls(stalls, suspectStalls(later, timed(stillIgnored, now)));
  return {
    surplus: withoutEnded(lasting, ended),
    ended,
    stalls: await Promise.all(lastingStall.map((stall) => withProcesses(stall, options))),
    cancelled: cancelledAmong(later, stillIgnored),
  };
}

/** How much less there is beyond the rows because cancelled entries are known. */
function cancelledAmong({evidence}: LiveReport, ignored: ReadonlyMap<string, number>): number {
  const beyond = (known: ReadonlyMap<string, number>) =>
    findSurplus(evidence, known).reduce((sum, {count}) => sum + count, 0);
  return beyond(NONE) - beyond(ignored);
}

const NONE: ReadonlyMap<string, number> = new Map();

function timed(ignored: ReadonlyMap<string, number>, now: () => Date) {
  return {ignored, nowMs: now().getTime()};
}

function withoutEnded(surplus: readonly Surplus[], ended: readonly EndedJob[]): Surplus[] {
  return surplus
    .map((each) => ({
      ...each,
      count: each.count - ended.filter(({queue}) => each.queues.includes(queue)).length,
    }))
    .filter(({count}) => count > 0);
}

async function withProcesses(stall: Stall, {workerProcess}: CrossCheckOptions): Promise<LocalStall> {
  const workers = await Promise.all(
    stall.workers.map(async (worker) => ({...worker, seen: await workerProcess(worker)})),
  );
  return {...stall, workers};
}
