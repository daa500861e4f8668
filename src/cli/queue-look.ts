import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {EXIT} from '../errors.ts';
import {type LookOptions, lookAtQueue, type QueueLook} from '../queue/look.ts';
import type {QueueStatus} from '../queue/status.ts';
import {VERDICTS} from '../queue/verdict.ts';
import {waitUntilHealthy} from '../queue/wait-until-healthy.ts';
import {renderQueueStatus} from '../render/queue-table.ts';
import {allSitesFlag} from './all-sites.ts';
import type {Context} from './context.ts';
import {secondsFrom} from './flags/shared-flags.ts';
import {metricsFlags} from './metrics.ts';
import {type HealthFlags, lookOptions} from './queue-health.ts';
import {type Watched, watchFlag} from './staying/watch.ts';

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
async function shownLookOptions(context: Context, flags: QueueFlags): Promise<LookOptions> {
  const shown = {allSites: flags['all-sites'], all: flags.all || flags.nagios};
  return {...(await lookOptions(context, flags)), ...shown};
}

/** The queue as it is now, or under --wait as soon as it is healthy. @throws AtomctlError USAGE for a wrong setting */
export async function lookForHealth(context: Context, flags: QueueFlags): Promise<QueueLook> {
  const options = await shownLookOptions(context, flags);
  const look = () => lookAtQueue(options);
  return waitUntilHealthy({look, seconds: flags.wait, now: context.now, sleep});
}

/** The queue to be watched. */
export function watchedQueue(flags: QueueFlags): Omit<Watched<QueueLook>, 'seconds'> {
  return {
    title: 'atomctl queue:status',
    look: async (context) => lookAtQueue(await shownLookOptions(context, flags)),
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
