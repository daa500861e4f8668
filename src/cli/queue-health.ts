import {Flags} from '@oclif/core';
import {readBacklog} from '../jobs/backlog.ts';
import type {LookOptions} from '../queue/look.ts';
import type {QueueLimits} from '../queue/verdict.ts';
import type {Context} from './context.ts';
import {wholeNumber} from './flags/shared-flags.ts';

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
export async function lookOptions(context: Context, flags: HealthFlags): Promise<LookOptions> {
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
