import type {DayStats} from '../../jobs/stats/stats.ts';
import {paint, type Screen} from '../screen.ts';

/** A shorter bar would not be readable. */
const MIN_BAR_WIDTH = 10;
const GAP = '  ';
const COMPLETED = '█';
const FAILED = '▒';

/** The completed and failed jobs of each period as figures and a bar, for a terminal. */
export function renderChart({unit, periods}: Periods, screen: Screen): string {
  const widths = {
    label: Math.max(...periods.map(({label}) => label.length), unit.length),
    completed: widthOf(periods, 'completed'),
    failed: widthOf(periods, 'failed'),
  };
  const line = (label: string, completed: string, failed: string) =>
    [label.padEnd(widths.label), completed.padStart(widths.completed), failed.padStart(widths.failed)].join(
      GAP,
    );
  const header = line(unit.toUpperCase(), 'COMPLETED', 'FAILED');
  const longest = Math.max(MIN_BAR_WIDTH, screen.width - header.length - GAP.length);
  const maxJobs = Math.max(...periods.map(({completed, failed}) => completed + failed), 1);
  const rows = periods.map((period) => {
    const {label, completed, failed} = period;
    const [completedWidth, failedWidth] = barOf(period, longest / maxJobs);
    const bar =
      paint(screen, 'green', COMPLETED.repeat(completedWidth)) +
      paint(screen, 'red', FAILED.repeat(failedWidth));
    return `${line(label, String(completed), String(failed))}${GAP}${bar}`.trimEnd();
  });
  const legend = `${COMPLETED} completed  ${FAILED} failed`;
  const shownLegend = legend.length > longest ? '' : `${GAP}${legend}`;
  return `${[`${paint(screen, 'bold', header)}${shownLegend}`, ...rows].join('\n')}\n`;
}

/**
 * How many characters the completed and the failed jobs get. Each gets at least one if there are any, so that one
 * failed job among a thousand is visible; the longer part gets fewer.
 */
function barOf({completed, failed}: Period, charactersPerJob: number): [number, number] {
  const total = Math.max(
    Math.round((completed + failed) * charactersPerJob),
    Number(completed > 0) + Number(failed > 0),
  );
  const failedWidth = failed === 0 ? 0 : Math.max(1, Math.round(failed * charactersPerJob));
  const atMost = completed === 0 ? total : total - 1;
  return [total - Math.min(failedWidth, atMost), Math.min(failedWidth, atMost)];
}

function widthOf(periods: readonly Period[], figure: 'completed' | 'failed'): number {
  return Math.max(...periods.map((period) => String(period[figure]).length), figure.length);
}

/** A bar of the chart. */
export interface Period {
  /** `2026-11-23` for a day or a week (its Monday), `2026-11` for a month, `2026` for a year. */
  label: string;
  completed: number;
  failed: number;
}

export interface Periods {
  unit: 'day' | 'week' | 'month' | 'year';
  /** Without gaps, earliest first. */
  periods: Period[];
}

/** As many periods as a terminal of usual height shows beside the tables. */
const MAX_PERIODS = 31;
const DAY_MS = 86_400_000;

interface Unit {
  unit: Periods['unit'];
  /** Length of the shortest such period. */
  days: number;
  /** The label of the period that contains a day, which is given as its midnight in UTC. */
  label: (day: Date) => string;
}

const YEAR: Unit = {unit: 'year', days: 365, label: (day) => isoDate(day).slice(0, 4)};
const UNITS: Unit[] = [
  {unit: 'day', days: 1, label: (day) => isoDate(day)},
  {
    unit: 'week',
    days: 7,
    label: (day) => isoDate(new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * DAY_MS)),
  },
  {unit: 'month', days: 28, label: (day) => isoDate(day).slice(0, 7)},
  YEAR,
];

/** The days grouped by day, week, month or year: the shortest that gives at most 31 periods; else the last 31 years. */
export function periodsOf(days: readonly DayStats[]): Periods {
  const first = days[0]?.day ?? '';
  const last = days.at(-1)?.day ?? '';
  const span = (midnight(last).getTime() - midnight(first).getTime()) / DAY_MS;
  const unit = UNITS.find(({days: length}) => span <= length * (MAX_PERIODS - 1)) ?? YEAR;
  const labels = labelsBetween(first, last, unit);
  const periods = new Map(
    labels.slice(-MAX_PERIODS).map((text) => [text, {label: text, completed: 0, failed: 0}]),
  );
  for (const {day, counts} of days) {
    const period = periods.get(unit.label(midnight(day)));
    if (period === undefined) continue;
    period.completed += counts.completed;
    period.failed += counts.error;
  }
  return {unit: unit.unit, periods: [...periods.values()]};
}

function labelsBetween(first: string, last: string, {days, label}: Unit): string[] {
  const labels = new Set<string>();
  const end = midnight(last);
  for (let at = midnight(first); at < end; at = new Date(at.getTime() + days * DAY_MS)) labels.add(label(at));
  return [...labels.add(label(end))];
}

/** In UTC, because it has no clock changes. */
function midnight(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function isoDate(day: Date): string {
  return day.toISOString().slice(0, 10);
}
