import {JOB_STATUSES} from '../../jobs/model/job.ts';
import type {DurationSummary, JobStats, NameStats} from '../../jobs/stats/stats.ts';
import {type Metric, renderMetrics, type Sample} from '../prometheus.ts';
import {OLDEST_RUNNING} from '../queue/monitoring.ts';

/** The figures of the job history as Prometheus metrics; `labels` are added to each. */
export function renderStatsMetrics({names}: JobStats, labels: Readonly<Record<string, string>>): string {
  const metrics: Metric[] = [
    {
      name: 'atom_jobs',
      help: "Jobs in AtoM's history.",
      type: 'gauge',
      samples: names.flatMap(({name, counts}) =>
        JOB_STATUSES.map((status) => ({labels: {name, status}, value: counts[status]})),
      ),
    },
    durationMetric('median', 'How long half of the ended jobs took at most.', names),
    durationMetric('p95', 'How long 95 of 100 ended jobs took at most.', names),
    durationMetric('longest', 'How long the longest of the ended jobs took.', names),
    {
      ...OLDEST_RUNNING,
      samples: names.map((row) => ({labels: {name: row.name}, value: row.oldestRunningSeconds ?? 0})),
    },
  ];
  return renderMetrics(metrics, labels);
}

/** Gauges, because the history is cleared at times, and the sum and count of a summary may only grow. */
function durationMetric(figure: keyof DurationSummary, help: string, names: readonly NameStats[]): Metric {
  const samples: Sample[] = names.flatMap(({name, durationSeconds}) =>
    durationSeconds === null ? [] : [{labels: {name}, value: durationSeconds[figure]}],
  );
  return {name: `atom_job_duration_${figure}_seconds`, help, type: 'gauge', samples};
}
