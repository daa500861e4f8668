import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import type {Context} from '../../cli/context.ts';
import {deliverMetrics, metricsFlags} from '../../cli/flags/metrics-flags.ts';
import {secondsFrom, wholeNumber} from '../../cli/flags/shared-flags.ts';
import {watch, watchFlag} from '../../cli/polling/watch.ts';
import {allSitesFlag} from '../../cli/site/all-sites.ts';
import {foreignPrefixes, readSiteJobs} from '../../cli/site/site-jobs.ts';
import {type AtomctlError, EXIT} from '../../errors.ts';
import {hostCommands} from '../../host-commands.ts';
import {SEVERITIES} from '../../queue/severity.ts';
import {
  fetchQueueReport,
  type QueueReport,
  type QueueReportOptions,
  type QueueStatus as Status,
  waitUntilHealthy,
} from '../../queue/status.ts';
import type {QueueLimits} from '../../queue/verdict.ts';
import {renderQueueError, renderQueueMetrics, renderQueuePlugin} from '../../render/queue/monitoring.ts';
import {renderQueueStatus} from '../../render/queue/table.ts';
import type {Screen} from '../../render/screen.ts';

/** How the queue is asked and shown. */
const outputFlags = {
  'all-sites': allSitesFlag(['watch', 'nagios', 'prometheus']),
  'all-functions': Flags.boolean({
    summary: 'Also show functions that are not of this site, by their prefix.',
  }),
  all: Flags.boolean({
    summary: 'Show a line for each function, also for functions without jobs and workers.',
  }),
  wait: Flags.custom<number>({
    summary: 'Check until healthy, for at most this many seconds.',
    helpValue: 'SECONDS',
    default: 0,
    parse: secondsFrom(0),
  })(),
  watch: watchFlag(['nagios', 'prometheus', 'wait']),
  nagios: Flags.boolean({
    summary: 'Print one line with figures, as a Nagios plugin, with the exit codes of plugins.',
    exclusive: ['json', 'prometheus'],
  }),
  ...metricsFlags,
};

const HEALTH_GROUP = 'HEALTH';

function classesFlag(summary: string) {
  return Flags.string({
    summary,
    helpValue: 'CLASS',
    delimiter: ',',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: HEALTH_GROUP,
  });
}

function queuedFlag(summary: string) {
  return Flags.custom<number>({
    summary,
    helpValue: 'N',
    parse: wholeNumber(0, 'number of jobs'),
    helpGroup: HEALTH_GROUP,
  })();
}

function ageFlag(name: string, summary: string) {
  return Flags.custom<number>({
    summary,
    helpValue: 'AGE',
    parse: async (text) => (await import('../../atom/when.ts')).parseAge(text, `--${name}`),
    helpGroup: HEALTH_GROUP,
  })();
}

/** What decides whether the queue is healthy. */
const healthFlags = {
  'require-worker': classesFlag(
    'Critical if this job class has no worker, even if gearman.yml does not list it.',
  ),
  exclude: classesFlag('Ignore this job class in the verdict.'),
  'warning-queued': queuedFlag('Warning if a job class has more jobs than this.'),
  'critical-queued': queuedFlag('Critical if a job class has more jobs than this.'),
  'warning-age': ageFlag('warning-age', 'Warning if the oldest running row is older than this: 30m, 6h, 2d.'),
  'critical-age': ageFlag('critical-age', 'Critical if the oldest running row is older than this.'),
  'warning-wait': ageFlag('warning-wait', 'Warning if a job waits longer than this for a worker.'),
  'critical-wait': ageFlag('critical-wait', 'Critical if a job waits longer than this for a worker.'),
  'no-database': Flags.boolean({
    summary: 'Do not ask the database.',
    exclusive: ['warning-age', 'critical-age', 'warning-wait', 'critical-wait'],
    helpGroup: HEALTH_GROUP,
  }),
};

export default class QueueStatus extends BaseCommand<typeof QueueStatus> {
  static override changes = false;
  static override summary = 'Show the queue of every Gearman server, and check its health.';
  static override description =
    `Shows each server, and each function of this site with its queued and running jobs and its workers, as the sum of all servers. If AtoM's database answers, it also shows how many jobs the database calls running.

The verdict is critical if a server does not answer, if a job class that gearman.yml lists has no worker, or if a --critical limit is exceeded. It is warning for lost and finished jobs, for jobs that wait while a worker that can run them executes nothing, for jobs in Gearman without a running row, for jobs under a function prefix that no worker serves, for a job class without a worker on one of several servers, for clocks that differ, for a client that holds jobs longer than a probe lasts, and if a --warning limit is exceeded. It is unknown if the database does not answer or if this site's function prefix is not known. Each problem is shown with a command that helps. A job class of a plugin is ignored if its plugin is off, or if the database does not answer.

The age of a row counts from its start; a wait ends when a worker begins the job. The checks of the jobs need the database; --no-database skips them. With --quiet, nothing is printed if the verdict is ok. A possible problem is checked a second time after two seconds.

Exit status: 0 healthy, 1 any other verdict, 2 usage error, 3 no server answered, 130 a watch was interrupted. With --nagios: 0 ok, 1 warning, 2 critical, 3 unknown, also for a usage error.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --nagios --warning-queued 20 --critical-age 6h',
    '<%= config.bin %> <%= command.id %> --wait 30 --require-worker arFindingAidJob',
  ];
  static override flags = {...outputFlags, ...healthFlags};

  async run(): Promise<void> {
    const {flags} = this;
    if (flags.watch !== undefined) {
      const watched = {
        title: 'atomctl queue:status',
        seconds: flags.watch,
        fetch: async (context: Context) => fetchQueueReport(await reportOptions(context, flags)),
        text: (report: QueueReport, screen: Screen) => renderQueueStatus(report, screen, flags),
        document: ({status}: QueueReport) => status,
      };
      this.exitWith(await watch(this.context, watched, this.watchOutput));
      return;
    }
    await this.answer(async (context) => {
      const report = await waitForHealth(context, flags);
      return {
        document: report.status,
        text: (screen) => {
          if (flags.nagios) return renderQueuePlugin(report, queueLimits(flags));
          if (flags.prometheus) return deliverMetrics(flags, (labels) => renderQueueMetrics(report, labels));
          return flags.quiet && report.status.status === 'ok' ? '' : renderQueueStatus(report, screen, flags);
        },
        exitStatus: exitStatusOf(report.status, flags),
      };
    }, flags['all-sites']);
  }

  /** A monitoring system reads one line on stdout, also for an error. */
  protected override presentError(error: AtomctlError): void {
    if (this.#isPlugin) this.io.stdout.write(renderQueueError(error));
    else super.presentError(error);
  }

  protected override exitStatusFor(error: AtomctlError): number {
    return this.#isPlugin ? SEVERITIES.unknown.pluginExitStatus : super.exitStatusFor(error);
  }

  /** Read from the arguments themselves, because it must also be known if the flags cannot be parsed. */
  get #isPlugin(): boolean {
    return this.argv.includes('--nagios');
  }
}

interface StatusFlags {
  'all-functions': boolean;
  all: boolean;
  nagios: boolean;
  wait: number;
  'require-worker'?: string[];
  exclude?: string[];
  'warning-queued'?: number;
  'critical-queued'?: number;
  'warning-age'?: number;
  'critical-age'?: number;
  'warning-wait'?: number;
  'critical-wait'?: number;
  'no-database'?: boolean;
}

/** The queue as it is now; under --wait, as soon as it is healthy. @throws AtomctlError USAGE for a wrong setting */
async function waitForHealth(context: Context, flags: StatusFlags): Promise<QueueReport> {
  const options = await reportOptions(context, flags);
  const fetch = () => fetchQueueReport(options);
  return waitUntilHealthy({fetch, seconds: flags.wait, now: context.now, sleep});
}

/** 0 for a healthy queue, 3 if no server answered, 1 otherwise; the plugin's own under --nagios. */
function exitStatusOf({status, servers}: Status, {nagios}: {nagios: boolean}): number {
  if (nagios) return SEVERITIES[status].pluginExitStatus;
  if (servers.every(({reachable}) => !reachable)) return EXIT.unreachable;
  return status === 'ok' ? EXIT.ok : EXIT.failed;
}

function queueLimits(flags: StatusFlags): QueueLimits {
  return {
    warningQueued: flags['warning-queued'],
    criticalQueued: flags['critical-queued'],
    warningAge: flags['warning-age'],
    criticalAge: flags['critical-age'],
    warningWait: flags['warning-wait'],
    criticalWait: flags['critical-wait'],
  };
}

/** What to ask, by the site's settings and the flags. @throws AtomctlError USAGE for a wrong setting */
async function reportOptions(context: Context, flags: StatusFlags): Promise<QueueReportOptions> {
  const [site, {staleRoot}] = await Promise.all([context.site(), import('../../atom/config/stale-cache.ts')]);
  const [addresses, prefix, workerTypes, root] = await Promise.all([
    context.serverAddresses(),
    site.functionPrefix(),
    site.workerTypes(),
    site.root(),
  ]);
  // Without the database no time of the site is needed, and its zone is not read.
  const toWall = flags['no-database'] ? (at: Date) => at.toISOString() : (await context.time()).toWall;
  return {
    addresses,
    timeoutSeconds: context.timeoutSeconds,
    prefix: prefix.value,
    jobClasses: Object.values(workerTypes.value).flat(),
    required: flags['require-worker'],
    excluded: flags.exclude,
    limits: queueLimits(flags),
    readJobs: flags['no-database'] ? null : () => readSiteJobs(context, flags.exclude),
    clock: {now: context.now, toWall},
    staleRoot: await staleRoot(root.value),
    commands: hostCommands(),
    foreignPrefixes: () => foreignPrefixes(context),
    allFunctions: flags['all-functions'],
    // A plugin has figures for all functions of this site.
    all: flags.all || flags.nagios,
  };
}
