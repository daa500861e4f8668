import {EXIT} from '../errors.ts';
import {type LookOptions, lookAtQueue, type QueueLook} from '../queue/look.ts';
import type {QueueStatus} from '../queue/status.ts';
import {renderQueueStatus} from '../render/queue-table.ts';
import type {Context} from './context.ts';
import {type HealthFlags, lookOptions} from './queue-health.ts';
import type {Watched} from './watch.ts';

export interface QueueFlags extends HealthFlags {
  'all-sites': boolean;
  all: boolean;
  nagios: boolean;
}

/** How to look at the queue, and which functions to show. A plugin is to know all of this site's. */
export async function shownLookOptions(context: Context, flags: QueueFlags): Promise<LookOptions> {
  const shown = {allSites: flags['all-sites'], all: flags.all || flags.nagios};
  return {...(await lookOptions(context, flags)), ...shown};
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

/** 0 for a healthy queue, 3 where no server answered, 1 otherwise. */
export function queueExitStatus({status, servers}: QueueStatus): number {
  if (servers.every(({reachable}) => !reachable)) return EXIT.unreachable;
  return status === 'ok' ? EXIT.ok : EXIT.failed;
}
