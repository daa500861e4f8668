import type {JobTotals} from '../../jobs/model/count.ts';
import {JOB_STATUSES, type StatusCounts} from '../../jobs/model/job.ts';
import {paint, type Screen} from '../screen.ts';
import {type Column, fitTable} from '../table.ts';
import {JOB_COLUMNS, type JobColumn, type ListedJob, shortClock} from './columns.ts';

/** `3 running, 180 completed`: the statuses that occur; `no jobs` if there are none. */
export function countsText(counts: StatusCounts): string {
  const parts = JOB_STATUSES.filter((status) => counts[status] > 0).map(
    (status) => `${counts[status]} ${status}`,
  );
  return parts.length === 0 ? 'no jobs' : parts.join(', ');
}

export interface JobTableOptions {
  columns: readonly JobColumn[];
  /** True if all columns must stay, however narrow the screen is: the user has named them. */
  allStay: boolean;
  screen: Screen;
  /** The site's wall clock, by which dates are shortened. */
  now: string;
  /** True if no Gearman server answered: a running job's live state is then shown as `?`. */
  liveUnknown: boolean;
}

/** In which order columns are left out of a table that is wider than the screen. */
const LEAVES: readonly JobColumn[] = ['user', 'object', 'info', 'finished', 'started'];

/**
 * The jobs as a table, and the headers of what the screen is too narrow for. Dates are shortened first, names and states
 * last.
 */
export function renderJobTable(
  jobs: readonly ListedJob[],
  options: JobTableOptions,
): Promise<{table: string; leftOut: string[]}> {
  const {now, allStay, liveUnknown} = options;
  const columnOf = (name: JobColumn): Column<ListedJob> => {
    const column: Column<ListedJob> = {...JOB_COLUMNS[name]};
    if (name === 'started') column.short = ({startedAt}) => shortClock(startedAt, now);
    if (name === 'finished') column.short = ({finishedAt}) => shortClock(finishedAt, now);
    if (name === 'activity') column.short = ({lastLine}) => shortClock(lastLine?.at ?? null, now);
    if (name === 'live' && liveUnknown) column.text = ({status}) => (status === 'running' ? '?' : '');
    if (allStay) return column;
    if (LEAVES.includes(name)) column.leaves = LEAVES.indexOf(name);
    if (name === 'live') column.leaves = Number.POSITIVE_INFINITY;
    return column;
  };
  return fitTable(options.columns.map(columnOf), jobs, options.screen);
}

/** The lines under the table: how many jobs of how many are shown, and which columns are not. */
export function renderJobSummary(
  shown: number,
  totals: JobTotals,
  {screen, leftOut}: {screen: Screen; leftOut: readonly string[]},
): string {
  const missing = leftOut.length === 0 ? [] : [`Not shown for lack of width: ${leftOut.join(', ')}.`];
  return [jobSummary(shown, totals), ...missing].map((line) => `${paint(screen, 'dim', line)}\n`).join('');
}

/** The same as a sentence. */
export function jobSummary(shown: number, {total, counts}: JobTotals): string {
  if (total === 0) return 'No jobs.';
  if (counts !== null)
    return `${shown} of ${total} ${total === 1 ? 'job' : 'jobs'} shown: ${countsText(counts)}.`;
  const which =
    total === null
      ? `${shown} ${shown === 1 ? 'job' : 'jobs'} shown; there may be more`
      : `${shown} of about ${total} jobs shown`;
  return `${which}; --json counts them.`;
}
