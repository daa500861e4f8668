import type {Queryable} from '../../mysql/database.ts';
import {type LiveReport, liveStates, stateIn} from '../live/live-state.ts';
import {eachOnce, type NamedJob} from '../model/worker-control.ts';
import {type ClearSiteOptions, runningIds, workersToStop} from './clear.ts';
import {executingEnded} from './ended-rows.ts';

/** The workers that a clear is going to stop. */
export interface StopPreview {
  /** Their units. */
  units: readonly string[];
  /** Other jobs that they execute, or may execute. */
  interrupts: readonly NamedJob[];
}

/** What the jobs to clear are that say Running, as far as the live states show. */
export interface RunningPreview {
  /** They wait in Gearman. */
  waiting: number;
  /** They execute; also those whose rows have ended. */
  executing: readonly NamedJob[];
  /** They are lost, have finished, or their state is not known. */
  others: number;
}

export interface LivePreview {
  /** null if no server answers. */
  running: RunningPreview | null;
  /** null if no worker has to stop, or none may. */
  stop: StopPreview | null;
}

/**
 * What the jobs to clear are, and what --restart-worker comes to, as clearSite finds it again; nothing is touched.
 * @throws AtomctlError for the database
 */
export async function previewLive(
  options: Pick<ClearSiteOptions, 'database' | 'plan' | 'worker'> & {
    queue: NonNullable<ClearSiteOptions['queue']>;
  },
): Promise<LivePreview> {
  const {database, plan, queue} = options;
  if (plan.total === 0) return {running: {waiting: 0, executing: [], others: 0}, stop: null};
  const report = await liveStates({...queue, database});
  const ids = await runningIds(options);
  const isIn = (state: string) => ids.filter((id) => stateIn(report, id) === state);
  const executing = new Set(isIn('executing'));
  const ended = await executingEnded(options);
  const waiting = isIn('queued').length;
  const running = {
    waiting,
    executing: [...namedIn(report, executing), ...(await namedRows(database, [...ended]))],
    others: ids.length - waiting - executing.size,
  };
  const stop = await workersToStop(options, report, {executing, ended});
  return {
    running:
      report.missing.length === queue.servers.length
        ? null
        : {...running, executing: eachOnce(running.executing)},
    stop: stop && {units: stop.units ?? [], interrupts: stop.interrupts},
  };
}

function namedIn({rows}: LiveReport, ids: ReadonlySet<number>): NamedJob[] {
  return rows.filter(({id}) => ids.has(id)).map(({id, name}) => ({id, name}));
}

async function namedRows(database: Queryable, ids: readonly number[]): Promise<NamedJob[]> {
  if (ids.length === 0) return [];
  const rows = await database.query<{id: number; name: string | null}>(
    'SELECT id, name FROM job WHERE id IN (?) ORDER BY id',
    [ids],
  );
  return rows.map(({id, name}) => ({id, name: name ?? ''}));
}
