import {formatDuration} from '../../duration.ts';
import type {DayStats, JobStats, NameStats, UserStats} from '../../jobs/stats/stats.ts';
import {paint, type Screen} from '../screen.ts';
import {type Column, renderTable} from '../table.ts';
import {periodsOf, renderChart} from './stats-chart.ts';
import {countsText} from './table.ts';

/** By name, by day (a chart on a terminal, otherwise a table), then the busiest users. */
export async function renderStats(stats: JobStats, screen: Screen): Promise<string> {
  const {total, counts, names, days, users} = stats;
  const summary = total === 0 ? 'No jobs.\n' : `${total} jobs: ${countsText(counts)}.\n`;
  const parts = [summary];
  if (names.length > 0) parts.push(await renderTable(NAME_COLUMNS, names, screen));
  if (days.length > 0) {
    parts.push(
      screen.isTTY ? renderChart(periodsOf(days), screen) : await renderTable(DAY_COLUMNS, days, screen),
    );
  }
  if (users.length > 0) parts.push(await renderUsers(users, screen));
  return parts.join('\n');
}

const BUSIEST = 10;

async function renderUsers(users: readonly UserStats[], screen: Screen): Promise<string> {
  const table = await renderTable(USER_COLUMNS, users.slice(0, BUSIEST), screen);
  const more = users.length - BUSIEST;
  return more > 0 ? `${table}${paint(screen, 'dim', `and ${more} more`)}\n` : table;
}

const NAME_COLUMNS: Column<NameStats>[] = [
  {header: 'NAME', text: ({name}) => name, shrinks: true},
  {header: 'JOBS', text: ({total}) => String(total), align: 'right'},
  {
    header: 'FAILED',
    text: ({failedShare}) => percent(failedShare),
    color: ({failedShare}) => (failedShare === null || failedShare === 0 ? undefined : 'red'),
    align: 'right',
  },
  {header: 'MEDIAN', text: ({durationSeconds}) => rounded(durationSeconds?.median), align: 'right'},
  {header: '95%', text: ({durationSeconds}) => rounded(durationSeconds?.p95), align: 'right'},
  {header: 'LONGEST', text: ({durationSeconds}) => rounded(durationSeconds?.longest), align: 'right'},
];

const DAY_COLUMNS: Column<DayStats>[] = [
  {header: 'DAY', text: ({day}) => day},
  {header: 'COMPLETED', text: ({counts}) => String(counts.completed), align: 'right'},
  {header: 'FAILED', text: ({counts}) => String(counts.error), align: 'right'},
];

const USER_COLUMNS: Column<UserStats>[] = [
  {header: 'USER', text: ({user}) => user ?? '-', shrinks: true},
  {header: 'JOBS', text: ({total}) => String(total), align: 'right'},
  {header: 'COMPLETED', text: ({counts}) => String(counts.completed), align: 'right'},
  {header: 'FAILED', text: ({counts}) => String(counts.error), align: 'right'},
];

function percent(share: number | null): string {
  return share === null ? '' : `${(share * 100).toFixed(1)}%`;
}

function rounded(seconds: number | undefined): string {
  return seconds === undefined ? '' : formatDuration(Math.round(seconds));
}
