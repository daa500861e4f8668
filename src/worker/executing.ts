import {AtomctlError} from '../errors.ts';
import {collectJournal, type JournalEntry, readJournal} from '../systemd/journal.ts';
import type {Scope} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';

/** A job that a worker of this site executes. */
export interface ExecutingJob {
  id: number;
  name: string;
  /** The unit whose worker has it; null if it is not known. */
  unit: string | null;
}

export interface AssignedJob extends ExecutingJob {
  /** The unit's journal names it. If not, the unit is the only one here, and a worker elsewhere may have the job. */
  isNamed: boolean;
}

/** Enough of a worker's newest lines to find its last job. */
const LINES = 200;

/**
 * Which unit executes which job. From AtoM 2.7 on, a worker writes the job's parameters to its own output too, so
 * the last job that a unit's journal names is the one that its worker has or had. If the journal cannot be read and there is one unit
 * only, it is that unit's.
 */
export async function assignToUnits(options: {
  jobs: readonly {id: number; name: string}[];
  units: readonly UnitState[];
  scope: Scope;
}): Promise<AssignedJob[]> {
  const {jobs, units, scope} = options;
  if (jobs.length === 0) return [];
  const running = units.filter(({mainPid}) => mainPid !== null);
  const lastJobs = new Map<number, string | null>();
  for (const {name} of running) {
    const id = lastJob(await newestLines(name, scope));
    // After a worker died, its job may have been handed to another: then it is not known which of them has it.
    if (id !== null) lastJobs.set(id, lastJobs.has(id) ? null : name);
  }
  const only = running.length === 1 && jobs.length === 1 ? running[0]!.name : null;
  return jobs.map(({id, name}) => {
    const unit = lastJobs.get(id);
    return {id, name, unit: unit === undefined ? only : unit, isNamed: typeof unit === 'string'};
  });
}

async function newestLines(unit: string, scope: Scope): Promise<JournalEntry[]> {
  try {
    return await collectJournal({scope, units: [unit], lines: LINES});
  } catch (error) {
    if (error instanceof AtomctlError) return [];
    throw error;
  }
}

/** A worker's own output has the messages of a job's log after a time, without the job's id and name. */
const WORKER_LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d > (.*)$/s;
/** From AtoM 2.7 on, the parameters show which job it is: their last key is its id. */
const PARAMETERS = /^Parameters: .*"id":"?(\d+)"?\}$/s;

function lastJob(entries: readonly JournalEntry[]): number | null {
  let id: number | null = null;
  for (const {message} of entries) {
    const text = textOf(message);
    if (text === 'Job started.') id = null;
    else id = idIn(text) ?? id;
  }
  return id;
}

/**
 * Picks a job's entries, from `Job started.` to `Job finished.`, out of the journal of one or more workers. Its first
 * entries are known to be its own only once its parameters have come.
 * @returns a function that takes the journal's entries in order, and returns those of the job that each makes known
 */
export function createJobFilter(jobId: number): (entry: JournalEntry) => JournalEntry[] {
  const runs = new Map<number | null, {id: number | null; held: JournalEntry[]}>();
  return (entry) => {
    const text = textOf(entry.message);
    if (text === 'Job started.') runs.set(entry.pid, {id: null, held: [entry]});
    const run = runs.get(entry.pid);
    if (run === undefined || text === 'Job started.') return [];
    if (text === 'Job finished.') runs.delete(entry.pid);
    run.held.push(entry);
    run.id ??= idIn(text);
    return run.id === jobId ? run.held.splice(0) : [];
  };
}

function textOf(message: string): string {
  return WORKER_LINE.exec(message)?.[1] ?? '';
}

function idIn(text: string): number | null {
  const [, id] = PARAMETERS.exec(text) ?? [];
  return id === undefined ? null : Number(id);
}

export interface WorkerLogOptions {
  scope: Scope;
  units: readonly string[];
  since?: Date;
  /** The newest N entries; of a job, its newest N. */
  lines?: number;
  /** Only what the worker wrote while it executed this job. */
  jobId?: number;
  /** Continues with new entries until `signal` aborts. */
  follow: boolean;
  signal: AbortSignal;
}

/** The journal of the worker's units, oldest first. @throws AtomctlError what readJournal throws */
export async function* workerLog(options: WorkerLogOptions): AsyncGenerator<JournalEntry> {
  const {jobId, lines, ...query} = options;
  if (jobId === undefined) {
    yield* readJournal({...query, lines});
    return;
  }
  // A job's lines are picked here, so journalctl's own limit on lines does not apply.
  const entriesOfJob = createJobFilter(jobId);
  const kept: JournalEntry[] = [];
  for await (const entry of readJournal({...query, wholeHistory: true})) {
    const found = entriesOfJob(entry);
    if (options.follow || lines === undefined) yield* found;
    else kept.push(...found);
    if (lines !== undefined) kept.splice(0, kept.length - lines);
  }
  yield* kept;
}
