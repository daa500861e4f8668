import type {DayStats} from '../jobs/stats.ts';

/** A bar of the chart. */
export interface Period {
  /** `2026-11-23`, of a week its Monday; `2026-11` of a month, `2026` of a year. */
  label: string;
  completed: number;
  failed: number;
}

export interface Periods {
  unit: 'day' | 'week' | 'month' | 'year';
  /** Without gaps, the earliest first. */
  periods: Period[];
}

/** What a person takes in at once, and what a terminal of usual height shows with the tables around it. */
const MOST = 31;
const DAY_MS = 86_400_000;

interface Unit {
  unit: Periods['unit'];
  /** Of the shortest such period. */
  days: number;
  /** The label of the period that a day, as its midnight in UTC, lies in. */
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

/** The days by day, week, month or year: the finest that makes at most 31 of them. Of more years, the latest. */
export function periodsOf(days: readonly DayStats[]): Periods {
  const first = days[0]?.day ?? '';
  const last = days.at(-1)?.day ?? '';
  const span = (midnight(last).getTime() - midnight(first).getTime()) / DAY_MS;
  const unit = UNITS.find(({days: length}) => span <= length * (MOST - 1)) ?? YEAR;
  const labels = labelsBetween(first, last, unit);
  const periods = new Map(labels.slice(-MOST).map((text) => [text, {label: text, completed: 0, failed: 0}]));
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

/** Days of the calendar only: no clock changes in UTC. */
function midnight(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function isoDate(day: Date): string {
  return day.toISOString().slice(0, 10);
}
