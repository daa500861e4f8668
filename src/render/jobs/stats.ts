import {formatDuration} from '../../duration.ts';
import type {FailureReason} from '../../jobs/stats/failure-reasons.ts';
import type {DayStats, JobStats, NameStats, UserStats} from '../../jobs/stats/stats.ts';
import {paint, type Screen} from '../screen.ts';
import {type Column, renderTable} from '../table.ts';
import {periodsOf, renderChart} from './stats-chart.ts';
import {countsText} from './table.ts';

/**
 * By name, the busiest users, by day (a chart on a terminal, otherwise a table), then why jobs failed. On a terminal without
 * `all` it is short, for a screen of 24 lines: the names that fail most, why, and the last weeks.
 */
export async function renderStats(stats: JobStats, screen: Screen, {all = false} = {}): Promise<string> {
  const {total, counts, byName, days, users, failureReasons} = stats;
  const summary = total === 0 ? 'No jobs.\n' : `${total} jobs: ${countsText(counts)}.\n`;
  const parts = [summary];
  if (total > 0 && screen.isTTY && !all) return [...parts, ...(await shortParts(stats, screen))].join('\n');
  if (byName.length > 0) parts.push(await renderTable(NAME_COLUMNS, byName, screen));
  if (users.length > 0) parts.push(await renderFirst(USER_COLUMNS, users, screen));
  if (days.length > 0) {
    parts.push(
      screen.isTTY ? renderChart(periodsOf(days), screen) : await renderTable(DAY_COLUMNS, days, screen),
    );
  }
  if (failureReasons.length > 0) parts.push(await renderFirst(REASON_COLUMNS, failureReasons, screen));
  return parts.join('\n');
}

/** Rows of each part of the short form. */
const SHORT = {names: 5, reasons: 4, periods: 4};

async function shortParts(
  {byName, days, users, failureReasons}: JobStats,
  screen: Screen,
): Promise<string[]> {
  const failing = byName
    .toSorted((one, other) => other.counts.error - one.counts.error)
    .slice(0, SHORT.names);
  const reasons = failureReasons.slice(0, SHORT.reasons);
  const {unit, periods} = periodsOf(days);
  const lastPeriods = periods.slice(-SHORT.periods);
  const parts: string[] = [];
  if (failing.length > 0) parts.push(await renderTable(NAME_COLUMNS, failing, screen));
  if (reasons.length > 0) parts.push(await renderTable(REASON_COLUMNS, reasons, screen));
  if (lastPeriods.length > 0) parts.push(renderChart({unit, periods: lastPeriods}, screen));
  const hidden = [
    moreText(byName.length - failing.length, 'name'),
    moreText(failureReasons.length - reasons.length, 'reason'),
    moreText(periods.length - lastPeriods.length, unit),
    moreText(users.length, 'user'),
  ].filter((text) => text !== '');
  if (hidden.length > 0) parts.push(`${paint(screen, 'dim', `--all also shows ${hidden.join(', ')}.`)}\n`);
  return parts;
}

function moreText(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const SHOWN = 10;

async function renderFirst<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Screen,
): Promise<string> {
  const table = await renderTable(columns, rows.slice(0, SHOWN), screen);
  const more = rows.length - SHOWN;
  return more > 0 ? `${table}${paint(screen, 'dim', `and ${more} more`)}\n` : table;
}

const NAME_COLUMNS: Column<NameStats>[] = [
  {header: 'NAME', text: ({name}) => name, shrinks: true, keeps: 24},
  {header: 'JOBS', text: ({total}) => String(total), align: 'right'},
  {
    header: 'FAIL %',
    text: ({failedShare}) => percent(failedShare),
    color: ({failedShare}) => (failedShare === null || failedShare === 0 ? undefined : 'red'),
    align: 'right',
  },
  {header: 'WAIT', text: ({waitSeconds}) => rounded(waitSeconds?.median), align: 'right'},
  {header: 'WAIT 95%', text: ({waitSeconds}) => rounded(waitSeconds?.p95), align: 'right', leaves: 0},
  {header: 'WAIT MAX', text: ({waitSeconds}) => rounded(waitSeconds?.max), align: 'right', leaves: 2},
  {header: 'RUN', text: ({runSeconds}) => rounded(runSeconds?.median), align: 'right'},
  {header: 'RUN 95%', text: ({runSeconds}) => rounded(runSeconds?.p95), align: 'right', leaves: 1},
  {header: 'RUN MAX', text: ({runSeconds}) => rounded(runSeconds?.max), align: 'right', leaves: 3},
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

const REASON_COLUMNS: Column<FailureReason>[] = [
  {header: 'FAILED', text: ({count}) => String(count), align: 'right'},
  {header: 'EXAMPLE', text: ({exampleId}) => String(exampleId), align: 'right'},
  {header: 'REASON', text: ({reason}) => reason ?? '(no error note)', shrinks: true},
];

function percent(share: number | null): string {
  return share === null ? '' : `${(share * 100).toFixed(1)}%`;
}

function rounded(seconds: number | undefined): string {
  return seconds === undefined ? '' : formatDuration(Math.round(seconds));
}
