import {JOB_STATUSES} from '../../jobs/model/job.ts';
import type {DurationSummary} from '../../jobs/stats/durations.ts';
import type {JobStats, NameStats} from '../../jobs/stats/stats.ts';
import {type Metric, renderMetrics, type Sample} from '../prometheus.ts';
import {OLDEST_RUNNING} from '../queue/monitoring.ts';

/** The figures of the job history as Prometheus metrics; `labels` are added to each. */
export function renderStatsMetrics(
  {byName: names}: JobStats,
  labels: Readonly<Record<string, string>>,
): string {
  const metrics: Metric[] = [
    {
      name: 'atom_jobs',
      help: "Jobs in AtoM's history.",
      type: 'gauge',
      samples: names.flatMap(({name, counts}) =>
        JOB_STATUSES.map((status) => ({labels: {name, status}, value: counts[status]})),
      ),
    },
    timeMetric('duration_median', 'How long half of the ended jobs took at most.', names, duration('median')),
    timeMetric('duration_p95', 'How long 95 of 100 ended jobs took at most.', names, duration('p95')),
    timeMetric('duration_longest', 'How long the longest of the ended jobs took.', names, duration('max')),
    timeMetric(
      'wait_median',
      'How long half of the jobs waited for a worker at most.',
      names,
      wait('median'),
    ),
    timeMetric('wait_p95', 'How long 95 of 100 jobs waited for a worker at most.', names, wait('p95')),
    timeMetric('wait_longest', 'How long a job waited for a worker at most.', names, wait('max')),
    {
      ...OLDEST_RUNNING,
      samples: names.map((row) => ({labels: {name: row.name}, value: row.oldestRunningSeconds ?? 0})),
    },
  ];
  return renderMetrics(metrics, labels);
}

type Figure = (stats: NameStats) => number | undefined;

const duration =
  (figure: keyof DurationSummary): Figure =>
  ({durationSeconds}) =>
    durationSeconds?.[figure];

const wait =
  (figure: keyof DurationSummary): Figure =>
  ({waitSeconds}) =>
    waitSeconds?.[figure];

/** Gauges, because the history is cleared at times, and the sum and count of a summary may only grow. */
function timeMetric(time: string, help: string, names: readonly NameStats[], figure: Figure): Metric {
  const samples: Sample[] = names.flatMap((stats) => {
    const value = figure(stats);
    return value === undefined ? [] : [{labels: {name: stats.name}, value}];
  });
  return {name: `atom_job_${time}_seconds`, help, type: 'gauge', samples};
}
