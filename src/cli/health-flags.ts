import {Flags} from '@oclif/core';
import type {QueueLimits} from '../queue/verdict.ts';
import {wholeNumber} from './flags.ts';

const HEALTH_GROUP = 'HEALTH';

/** What the queue's health is judged by. */
export const healthFlags = {
  'require-worker': Flags.string({
    summary: 'Critical where this job class has no worker, whether gearman.yml lists it or not.',
    helpValue: 'CLASS',
    multiple: true,
    helpGroup: HEALTH_GROUP,
  }),
  exclude: Flags.string({
    summary: 'Leave this job class out of the verdict.',
    helpValue: 'CLASS',
    multiple: true,
    helpGroup: HEALTH_GROUP,
  }),
  'warning-queued': queuedFlag('Warning where a job class has more jobs queued.'),
  'critical-queued': queuedFlag('Critical where a job class has more jobs queued.'),
  'warning-age': ageFlag('warning-age', 'Warning where the oldest running row is older: 30m, 6h, 2d.'),
  'critical-age': ageFlag('critical-age', 'Critical where the oldest running row is older.'),
};

export interface HealthFlags {
  'warning-queued'?: number;
  'critical-queued'?: number;
  'warning-age'?: number;
  'critical-age'?: number;
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
