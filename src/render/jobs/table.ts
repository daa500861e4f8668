import type {JobTotals} from '../../jobs/model/count.ts';
import {JOB_STATUSES, type Job, type StatusCounts} from '../../jobs/model/job.ts';
import {paint, type Screen} from '../screen.ts';
import {type Column, renderTable} from '../table.ts';
import {JOB_COLUMNS, type JobColumn} from './columns.ts';

/** `3 running, 180 completed`: the statuses that occur; `no jobs` if there are none. */
export function countsText(counts: StatusCounts): string {
  const parts = JOB_STATUSES.filter((status) => counts[status] > 0).map(
    (status) => `${counts[status]} ${status}`,
  );
  return parts.length === 0 ? 'no jobs' : parts.join(', ');
}

export interface JobTableOptions {
  columns: readonly JobColumn[];
  screen: Screen;
  /** True if no Gearman server answered: a running job's live state is then shown as `?`. */
  liveUnknown: boolean;
}

/** The jobs as a table. */
export function renderJobTable(jobs: readonly Job[], options: JobTableOptions): Promise<string> {
  const live: Column<Job> = options.liveUnknown
    ? {header: 'LIVE', text: ({status}) => (status === 'running' ? '?' : '')}
    : JOB_COLUMNS.live;
  const columns = options.columns.map((name) => (name === 'live' ? live : JOB_COLUMNS[name]));
  return renderTable(columns, jobs, options.screen);
}

/** The line under the table: how many jobs of how many are shown. */
export function renderJobSummary(shown: number, {total, counts}: JobTotals, screen: Screen): string {
  const text =
    counts === null
      ? `${shown} of about ${total} jobs shown; --json counts them.`
      : `${shown} of ${total} jobs shown: ${countsText(counts)}.`;
  return `${paint(screen, 'dim', text)}\n`;
}
