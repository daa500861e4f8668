import {expect, test} from 'vitest';
import type {DayStats, JobStats} from '../../../../src/jobs/stats/stats.ts';
import {renderStats} from '../../../../src/render/jobs/stats.ts';
import {periodsOf, renderChart} from '../../../../src/render/jobs/stats-chart.ts';
import {renderStatsMetrics} from '../../../../src/render/jobs/stats-metrics.ts';
import type {Screen} from '../../../../src/render/screen.ts';

const PIPE: Screen = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};
const TERMINAL: Screen = {isTTY: true, width: 60, color: false};

function day(date: string, completed: number, error: number): DayStats {
  return {day: date, counts: {running: 0, completed, error, unknown: 0}};
}

const counts = {running: 1, completed: 998, error: 1, unknown: 0};
const stats: JobStats = {
  total: 1000,
  counts,
  oldestRunningSeconds: 90,
  byName: [
    {
      name: 'CSV \u001b[31mexport',
      total: 1000,
      counts,
      failedShare: 0.25,
      waitSeconds: {median: 4, p95: 60, max: 600},
      runSeconds: {median: 62.5, p95: 3600, max: 90_000},
      durationSeconds: {median: 66.5, p95: 3601, max: 90_001},
      oldestRunningSeconds: 90,
    },
  ],
  days: [day('2026-03-01', 998, 0), day('2026-03-03', 0, 1)],
  users: Array.from({length: 12}, (_, index) => ({
    user: index === 0 ? null : `user${index}`,
    userId: index === 0 ? null : index,
    total: 20 - index,
    counts,
  })),
  failureReasons: [
    {reason: 'Exception: row N of "…" is wrong', count: 2, exampleId: 7},
    {reason: null, count: 1, exampleId: 8},
  ],
};

test('in a pipe: tables, each day that has jobs, the ten busiest users, the reasons of failures', async () => {
  const text = await renderStats(stats, PIPE);
  expect(text).toMatch(/^1000 jobs: 1 running, 998 completed, 1 error\.\n/);
  expect(text).toMatch(/^CSV \\x1b\[31mexport +1000 +25\.0% +4s +1m +10m +1m 3s +1h +1d 1h$/m);
  expect(text).toMatch(/^2026-03-01 +998 +0\n2026-03-03 +0 +1$/m);
  expect(text).toMatch(/^- +20 +998 +1$/m);
  expect(text).toMatch(/^ +2 +7 {2}Exception: row N of "…" is wrong\n +1 +8 {2}\(no error note\)$/m);
  expect(text).toMatch(/\nuser9 .*\nand 2 more\n\nDAY /);
});

test('without jobs it says so', async () => {
  const none = {...stats, total: 0, byName: [], days: [], users: [], failureReasons: []};
  expect(await renderStats(none, TERMINAL)).toBe('No jobs.\n');
});

test('on a terminal the chart has no gaps, fits the width, and shows even one failure', async () => {
  const chart = (await renderStats(stats, TERMINAL, {all: true})).split('\n\n')[3]!.split('\n');
  expect(chart[0]).toBe('DAY         COMPLETED  FAILED  █ completed  ▒ failed');
  expect(chart[1]).toMatch(/^2026-03-01 +998 +0 {2}█{29}$/);
  expect(chart[2]!.trimEnd()).toMatch(/^2026-03-02 +0 +0$/);
  expect(chart[3]!.trimEnd()).toMatch(/^2026-03-03 +0 +1 {2}▒$/);
  const colored = await renderStats(stats, {...TERMINAL, color: true});
  expect(colored).toMatch(/\u001b\[32m█{29}\u001b.*\n.*\n.*\u001b\[31m▒\u001b/);
});

test('a terminal of 24 lines has the names that fail most first, and says what --all also shows', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, error) => ({
    ...stats.byName[0]!,
    name,
    counts: {...counts, error},
  }));
  const reasons = Array.from({length: 9}, () => stats.failureReasons[0]!);
  const days = Array.from({length: 9}, (_, index) => day(`2026-03-0${index + 1}`, 1, 0));
  const lines = (await renderStats({...stats, byName: names, failureReasons: reasons, days}, TERMINAL)).split(
    '\n',
  );
  expect(lines.length).toBeLessThan(24);
  expect(lines.slice(3, 8).map((line) => line[0])).toEqual(['g', 'f', 'e', 'd', 'c']);
  expect(lines.at(-2)).toBe('--all also shows 2 names, 5 reasons, 5 days, 12 users.');
});

test.each([
  [30, 30, '█'.repeat(15) + '▒'.repeat(15)],
  [999, 1, `${'█'.repeat(29)}▒`],
  [1, 999, `█${'▒'.repeat(29)}`],
  [0, 7, '▒'.repeat(30)],
])('%d completed and %d failed jobs share a bar of the full width', (completed, failed, bar) => {
  const periods = [{label: '2026-03-01', completed, failed}];
  const header = 'DAY         COMPLETED  FAILED  ';
  const screen = {...TERMINAL, width: header.length + 30};
  const row = renderChart({unit: 'day', periods}, screen).split('\n')[1];
  expect(row!.slice(header.length)).toBe(bar);
});

test.each([
  ['2026-03-01', '2026-03-31', 'day', 31, '2026-03-01'],
  ['2026-03-01', '2026-04-01', 'week', 6, '2026-02-23'],
  ['2026-01-01', '2026-12-31', 'month', 12, '2026-01'],
  ['2020-06-01', '2026-12-31', 'year', 7, '2020'],
  ['1000-01-01', '2026-12-31', 'year', 31, '1996'],
])('from %s to %s by %s', (first, last, unit, length, label) => {
  const {periods, ...rest} = periodsOf([day(first, 1, 2), day(last, 3, 4)]);
  expect([rest.unit, periods.length, periods[0]!.label]).toEqual([unit, length, label]);
  expect(periods.at(-1)).toMatchObject({completed: 3, failed: 4});
});

test('metrics: every status of every name, durations if there are any, the site if one is named', () => {
  const metrics = renderStatsMetrics(
    {
      ...stats,
      byName: [
        ...stats.byName,
        {
          ...stats.byName[0]!,
          name: 'new',
          waitSeconds: null,
          durationSeconds: null,
          oldestRunningSeconds: null,
        },
      ],
    },
    {site: 'north'},
  );
  const lines = metrics.split('\n').filter((line) => line.includes('site="north"'));
  expect(lines).toContain('atom_jobs{site="north",name="new",status="unknown"} 0');
  expect(lines).toContain(
    String.raw`atom_job_duration_p95_seconds{site="north",name="CSV \\x1b[31mexport"} 3601`,
  );
  expect(lines).toContain('atom_job_oldest_running_seconds{site="north",name="new"} 0');
  expect(lines).toHaveLength(4 + 4 + 3 + 3 + 2);
});
