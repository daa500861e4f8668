import {ownerOf, takeSnapshot} from '../../queue/snapshot.ts';
import {ignoredEntries} from '../health/ignored-entries.ts';
import {findSurplus} from '../health/surplus.ts';
import {type LiveAccess, liveStates} from '../live/live-state.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';

/** How many jobs Gearman has under the site's own functions. */
export interface SiteQueueCount {
  waiting: number;
  executing: number;
}

/** By the servers that answer. */
export async function countQueue({
  servers,
  prefixes,
}: Pick<QueueOptions, 'servers' | 'prefixes'>): Promise<SiteQueueCount> {
  const snapshot = await takeSnapshot(servers);
  const foreign = await prefixes.foreign(snapshot);
  const own = snapshot.functions.filter((seen) => ownerOf(seen, prefixes, foreign) === 'site');
  return {
    waiting: own.reduce((sum, {total, running}) => sum + total - running, 0),
    executing: own.reduce((sum, {running}) => sum + running, 0),
  };
}

/** What a clear is going to meet in Gearman; nothing is touched. */
export interface QueuePreview extends SiteQueueCount {
  /** Jobs that no running row can explain, at least so many. */
  surplus: number;
}

/** @throws AtomctlError for the database */
export async function previewQueue(options: QueueOptions & LiveAccess): Promise<QueuePreview> {
  const {evidence} = await liveStates(options);
  const [counts, ignored] = await Promise.all([countQueue(options), ignoredEntries(options.servers)]);
  const surplus = findSurplus(evidence, ignored).reduce((sum, {count}) => sum + count, 0);
  return {...counts, surplus};
}
