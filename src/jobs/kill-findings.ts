import {AtomctlError} from '../errors.ts';
import type {RowChanged} from './kill-row.ts';
import {type LiveOptions, type LiveReport, liveStates} from './live-state.ts';
import {type QueueOptions, siftQueue} from './queued-jobs.ts';

/** A job that was taken out of Gearman. */
export interface TakenOut {
  /** The key that it had there. */
  unique: string;
  /** What became of its row; null where this is still to be changed. */
  change: RowChanged | null;
}

/** A server is held no longer than this for rows that change slowly, but for the one in hand: others want to look. */
const LONGEST_HOLD_MS = 2000;

/** What is known of the jobs to kill, and which of them were taken out of Gearman. */
export interface Findings {
  report: LiveReport;
  removed: ReadonlyMap<number, TakenOut>;
  /** Why the queue or the rows could not be looked at; empty where they were, or did not have to be. */
  problems: readonly AtomctlError[];
}

type TakeOutOptions = QueueOptions & Omit<LiveOptions, 'probe'>;
type ChangeRow = (id: number) => Promise<RowChanged>;

/**
 * Tells what the jobs are and takes those that wait out of the queue, which is touched only where one may wait.
 * @throws AtomctlError for the database, before anything was done
 */
export async function findAndTakeOut(
  options: TakeOutOptions,
  ids: ReadonlySet<number>,
  changeRow: ChangeRow,
): Promise<Findings> {
  const found: Findings = {report: await liveStates(options), removed: new Map(), problems: []};
  const mayWait = [...ids].some((id) => !SETTLED.has(found.report.states.get(id)));
  return mayWait ? takeOut(options, ids, found, changeRow) : found;
}

const SETTLED = new Set<unknown>(['executing', 'lost']);

/**
 * Takes those of the jobs that wait out of the queue, and changes their rows before anyone may call them lost. What it
 * did not find waiting is then told anew: it executes, has ended or is lost. What goes wrong is said, not
 * thrown: by now jobs may be gone from the queue.
 */
export async function takeOut(
  options: TakeOutOptions,
  ids: ReadonlySet<number>,
  before: Findings,
  changeRow: ChangeRow,
): Promise<Findings> {
  const removed = new Map(before.removed);
  const look = await siftQueue({
    ...options,
    take: ({jobId}) => jobId !== null && ids.has(jobId),
    settle: async (jobs) => {
      const end = performance.now() + LONGEST_HOLD_MS;
      for (const {jobId, unique} of jobs) {
        if (removed.has(jobId!)) continue;
        removed.set(jobId!, {unique, change: performance.now() < end ? await changeRow(jobId!) : null});
      }
    },
  });
  try {
    const report = await liveStates({...options, probe: async () => look.waiting});
    return {report, removed, problems: look.problems};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {report: before.report, removed, problems: [...look.problems, error]};
  }
}
