import {type JournalEntry, readJournal} from '../systemd/journal.ts';
import type {Scope} from '../systemd/service-manager.ts';
import {createJobFilter} from './executing.ts';

export interface WorkerLogOptions {
  scope: Scope;
  units: readonly string[];
  since?: Date;
  /** The newest N entries; of a job, its newest N. */
  lines?: number;
  /** Only what the worker wrote while it executed this job. */
  jobId?: number;
  /** Goes on with new entries until `signal` aborts. */
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
  // A job's lines are picked here, so that what journalctl counts as newest is not what is wanted.
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
