import {liveStates, stateIn} from '../live/live-state.ts';
import type {NamedJob} from '../model/worker-control.ts';
import {type ClearSiteOptions, executingEnded, runningIds, workersToStop} from './clear.ts';

/** The workers that a clear is going to stop. */
export interface StopPreview {
  /** Their units. */
  units: readonly string[];
  /** Other jobs that they execute, or may execute. */
  interrupts: readonly NamedJob[];
}

/**
 * What --restart-worker comes to, as clearSite finds it again; nothing is touched.
 * @returns null if no worker has to stop
 * @throws AtomctlError for the database; SYSTEMD_UNAVAILABLE or NO_SUCH_UNIT
 */
export async function previewStop(
  options: Pick<ClearSiteOptions, 'database' | 'plan' | 'queue' | 'worker'>,
): Promise<StopPreview | null> {
  const {database, plan, queue, worker} = options;
  if (queue === null || worker === null || plan.total === 0) return null;
  const report = await liveStates({...queue, database});
  const executing = new Set((await runningIds(options)).filter((id) => stateIn(report, id) === 'executing'));
  const ended = await executingEnded(options);
  const stop = await workersToStop(options, report, {executing, ended});
  return stop && {units: stop.units ?? [], interrupts: stop.interrupts};
}
