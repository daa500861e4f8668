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
    timeMetric('duration_median', 'The median duration of the ended jobs.', names, duration('median')),
    timeMetric(
      'duration_p95',
      'The 95th percentile of the durations of the ended jobs.',
      names,
      duration('p95'),
    ),
    timeMetric('duration_longest', 'The longest duration of the ended jobs.', names, duration('max')),
    timeMetric('wait_median', 'The median wait of the jobs for a worker.', names, wait('median')),
    timeMetric('wait_p95', 'The 95th percentile of the waits of the jobs for a worker.', names, wait('p95')),
    timeMetric('wait_longest', 'The longest wait of a job for a worker.', names, wait('max')),
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
