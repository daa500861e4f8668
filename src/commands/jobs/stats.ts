import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import type {Context} from '../../cli/context.ts';
import {type FilterFlags, filterFlags, jobFilter} from '../../cli/flags/filter-flags.ts';
import {deliverMetrics, metricsFlags} from '../../cli/flags/metrics-flags.ts';
import {allSitesFlag} from '../../cli/site/all-sites.ts';
import {liveReport} from '../../cli/site/live.ts';
import {EXIT} from '../../errors.ts';
import {type JobStats, jobStats} from '../../jobs/stats/stats.ts';
import {renderStats} from '../../render/jobs/stats.ts';
import {renderStatsMetrics} from '../../render/jobs/stats-metrics.ts';

export default class JobsStats extends BaseCommand<typeof JobsStats> {
  static override changes = false;
  static override summary =
    'Show counts, waiting times, durations and failures by job name, by day and by user.';
  static override description =
    `For each job name, it shows the share of failures, and how long the jobs waited for a worker and then ran: the median, the 95th percentile and the longest time; a narrow terminal shows only the medians. A wait ends with the first line of the job's log. Durations do not include jobs that atomctl killed or marked. For each day, by the start of the jobs, it shows how many completed and failed, on a terminal as a chart. It also shows the users with the most jobs, and why jobs failed: their messages, without numbers and names. A terminal shows the names with the most failures, the most frequent reasons and the last days; --all shows everything.

Exit status: 0 shown, 1 a file could not be written, 2 usage error, 3 database unreachable.`;
  static override examples = [
    {
      description: 'Show which jobs fail and which take long',
      command: '<%= config.bin %> <%= command.id %> --since 2026-08',
    },
    {
      description: "Write a file for node_exporter's textfile collector",
      command: '<%= config.bin %> <%= command.id %> --prometheus --output atom-jobs.prom',
    },
    {
      description: 'Show who submitted the most jobs in the last month',
      command: '<%= config.bin %> <%= command.id %> --since 30d --json | jq .users',
    },
  ];
  static override flags = {
    ...filterFlags,
    all: Flags.boolean({
      summary:
        'On a terminal, also show the other names, reasons and days, and the users with the most jobs.',
    }),
    'all-sites': allSitesFlag(['prometheus']),
    ...metricsFlags,
  };

  async run(): Promise<void> {
    const {flags} = this;
    await this.answer(async (context, notice) => {
      const stats = await fetchStats(context, flags, notice);
      const metrics = () => deliverMetrics(flags, (labels) => renderStatsMetrics(stats, labels));
      return {
        document: stats,
        text: (screen) => (flags.prometheus ? metrics() : renderStats(stats, screen, flags)),
        exitStatus: EXIT.ok,
      };
    }, flags['all-sites']);
  }
}

/** The figures of the jobs that the flags select. @throws AtomctlError USAGE for a wrong filter; for the database */
async function fetchStats(
  context: Context,
  flags: FilterFlags,
  notice: (text: string) => void,
): Promise<JobStats> {
  const now = context.now();
  const wanted = await jobFilter(flags, context, {notice});
  const [database, time, {settleLiveFilter}] = await Promise.all([
    context.database(),
    context.time(),
    import('../../jobs/live/list-live.ts'),
  ]);
  const filter = await settleLiveFilter(wanted, () => liveReport(context, notice));
  return jobStats({database, time, now, filter});
}
