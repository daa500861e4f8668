import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {EXIT} from '../errors.ts';
import {readBacklog} from '../jobs/model/running-jobs.ts';
import {
  fetchQueueReport,
  type QueueReport,
  type QueueReportOptions,
  type QueueStatus,
  waitUntilHealthy,
} from '../queue/status.ts';
import {type QueueLimits, VERDICTS} from '../queue/verdict.ts';
import {renderQueueStatus} from '../render/queue/table.ts';
import {allSitesFlag} from './all-sites.ts';
import type {Context} from './context.ts';
import {secondsFrom, wholeNumber} from './flags/shared-flags.ts';
import {metricsFlags} from './metrics.ts';
import {type Watched, watchFlag} from './polling/watch.ts';

/** How to look at the queue and how to show it, beside what its health is judged by. */
export const queueFlags = {
  'all-sites': Flags.boolean({summary: 'Show the functions of other sites too, by their prefix.'}),
  'every-site': allSitesFlag(['watch', 'nagios', 'prometheus'], []),
  all: Flags.boolean({summary: 'Show functions with no work and no workers too.'}),
  wait: Flags.custom<number>({
    summary: 'Try again until healthy, for so long at most.',
    helpValue: 'SECONDS',
    default: 0,
    parse: secondsFrom(0),
  })(),
  watch: watchFlag(['nagios', 'prometheus', 'wait']),
  nagios: Flags.boolean({
    summary: 'Print one plugin line with figures, and use the plugin exit codes.',
    exclusive: ['json', 'prometheus'],
  }),
  ...metricsFlags,
};

export interface QueueFlags extends HealthFlags {
  'all-sites': boolean;
  all: boolean;
  nagios: boolean;
  wait: number;
}

/** How to look at the queue, and which functions to show. A plugin is to know all of this site's. */
async function shownReportOptions(context: Context, flags: QueueFlags): Promise<QueueReportOptions> {
  const shown = {allSites: flags['all-sites'], all: flags.all || flags.nagios};
  return {...(await queueReportOptions(context, flags)), ...shown};
}

/** The queue as it is now, or under --wait as soon as it is healthy. @throws AtomctlError USAGE for a wrong setting */
export async function waitForHealth(context: Context, flags: QueueFlags): Promise<QueueReport> {
  const options = await shownReportOptions(context, flags);
  const look = () => fetchQueueReport(options);
  return waitUntilHealthy({look, seconds: flags.wait, now: context.now, sleep});
}

/** The queue to be watched. */
export function watchedQueue(flags: QueueFlags): Omit<Watched<QueueReport>, 'seconds'> {
  return {
    title: 'atomctl queue:status',
    look: async (context) => fetchQueueReport(await shownReportOptions(context, flags)),
    text: renderQueueStatus,
    document: ({status}) => status,
  };
}

/** 0 for a healthy queue, 3 where no server answered, 1 otherwise; a plugin's own under --nagios. */
export function queueExitStatus({status, servers}: QueueStatus, {nagios}: {nagios: boolean}): number {
  if (nagios) return VERDICTS[status].pluginExitStatus;
  if (servers.every(({reachable}) => !reachable)) return EXIT.unreachable;
  return status === 'ok' ? EXIT.ok : EXIT.failed;
}

const HEALTH_GROUP = 'HEALTH';

/** What the queue's health is judged by. */
export const healthFlags = {
  'require-worker': Flags.string({
    summary: 'Critical where this job class has no worker, whether gearman.yml lists it or not.',
    helpValue: 'CLASS',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: HEALTH_GROUP,
  }),
  exclude: Flags.string({
    summary: 'Leave this job class out of the verdict.',
    helpValue: 'CLASS',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: HEALTH_GROUP,
  }),
  'warning-queued': queuedFlag('Warning where a job class has more jobs queued than this.'),
  'critical-queued': queuedFlag('Critical where a job class has more jobs queued than this.'),
  'warning-age': ageFlag('warning-age', 'Warning where the oldest running row is older: 30m, 6h, 2d.'),
  'critical-age': ageFlag('critical-age', 'Critical where the oldest running row is older.'),
  'no-database': Flags.boolean({
    summary: 'Do not ask the database.',
    exclusive: ['warning-age', 'critical-age'],
    helpGroup: HEALTH_GROUP,
  }),
};

export interface HealthFlags {
  'require-worker'?: string[];
  exclude?: string[];
  'warning-queued'?: number;
  'critical-queued'?: number;
  'warning-age'?: number;
  'critical-age'?: number;
  'no-database'?: boolean;
}

/** The limits that the flags set. */
export function queueLimits(flags: HealthFlags): QueueLimits {
  return {
    warningQueued: flags['warning-queued'],
    criticalQueued: flags['critical-queued'],
    warningAge: flags['warning-age'],
    criticalAge: flags['critical-age'],
  };
}

/** How to look at this site's queue, by its settings and the flags. @throws AtomctlError USAGE for a wrong setting */
export async function queueReportOptions(context: Context, flags: HealthFlags): Promise<QueueReportOptions> {
  const site = await context.site();
  const [servers, prefix, workerTypes] = await Promise.all([
    site.gearmanServers(),
    site.functionPrefix(),
    site.workerTypes(),
  ]);
  return {
    addresses: servers.value,
    timeoutSeconds: context.timeoutSeconds,
    prefix: prefix.value,
    jobClasses: Object.values(workerTypes.value).flat(),
    required: flags['require-worker'],
    excluded: flags.exclude,
    limits: queueLimits(flags),
    readBacklog: flags['no-database']
      ? null
      : async () => readBacklog(await context.database(), {time: await context.time(), now: context.now()}),
  };
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
    parse: async (text) => (await import('../atom/site-time.ts')).parseAge(text, `--${name}`),
    helpGroup: HEALTH_GROUP,
  })();
}
