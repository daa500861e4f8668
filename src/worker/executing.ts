import {AtomctlError} from '../errors.ts';
import {collectJournal, type JournalEntry} from '../systemd/journal.ts';
import type {Scope} from '../systemd/service-manager.ts';
import type {UnitState} from '../systemd/unit-state.ts';

/** A job that a worker of this site executes. */
export interface ExecutingJob {
  id: number;
  name: string;
  /** The unit whose worker has it; null where that is not known. */
  unit: string | null;
}

/** Enough of a worker's newest lines to find the job that it speaks of. */
const LINES = 200;

/**
 * Which unit executes which job. A worker writes each line of a job's log to its own output too, so the last job
 * that a unit's journal names is the one it has or had. Where the journal cannot be read and there is one unit
 * alone, it is that one's.
 */
export async function assignToUnits(options: {
  jobs: readonly {id: number; name: string}[];
  units: readonly UnitState[];
  scope: Scope;
}): Promise<ExecutingJob[]> {
  const {jobs, units, scope} = options;
  if (jobs.length === 0) return [];
  const running = units.filter(({mainPid}) => mainPid !== null);
  const lastJobs = new Map<number, string>();
  for (const {name} of running) {
    const id = lastJob(await newestLines(name, scope));
    if (id !== null) lastJobs.set(id, name);
  }
  const only = running.length === 1 && jobs.length === 1 ? running[0]!.name : null;
  return jobs.map(({id, name}) => ({id, name, unit: lastJobs.get(id) ?? only}));
}

async function newestLines(unit: string, scope: Scope): Promise<JournalEntry[]> {
  try {
    return await collectJournal({scope, units: [unit], lines: LINES});
  } catch (error) {
    if (error instanceof AtomctlError) return [];
    throw error;
  }
}

const JOB_LINE = /\bJob (\d+) "/;

function lastJob(entries: readonly JournalEntry[]): number | null {
  const [, id] = entries.map(({message}) => JOB_LINE.exec(message)).findLast((match) => match !== null) ?? [];
  return id === undefined ? null : Number(id);
}

/** Whether a line of a worker's output belongs to a job's log. */
export function isOfJob(message: string, id: number): boolean {
  return message.includes(`Job ${id} "`) && JOB_LINE.exec(message)?.[1] === String(id);
}
