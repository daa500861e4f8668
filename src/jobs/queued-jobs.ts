/** The site's queued jobs in Gearman, by the id in their payload: looked at, or taken out. */
import type {ServerConnection} from '../gearman/server.ts';
import {peekQueue} from '../queue/peek.ts';
import {functionsOfSite, takeSnapshot} from '../queue/snapshot.ts';
import type {SeenPayload} from './live-verdict.ts';

export interface QueueOptions {
  servers: readonly ServerConnection[];
  prefix: string | null;
  /** A bound on each reply of a server. */
  timeoutSeconds: number;
}

/** A job that was taken out of the queue: its server's address, its handle and unique key. */
export interface RemovedJob extends SeenPayload {
  address: ServerConnection['address'];
  handle: string;
  unique: string;
}

export interface SiftedQueue {
  /** What still waits. */
  waiting: SeenPayload[];
  removed: RemovedJob[];
}

/**
 * Looks at the payloads of all queued jobs of the site, on every server, and hands each back where it was, but for
 * those that `take` chooses: these are ended and never run. Nothing where the site's prefix shows no life.
 * @throws AtomctlError REFUSED where a server would drop what is handed back; no job was touched then
 */
export async function siftQueue(
  options: QueueOptions & {take?: (job: SeenPayload) => boolean},
): Promise<SiftedQueue> {
  const {servers, prefix, timeoutSeconds, take} = options;
  const {own, functions} = functionsOfSite(await takeSnapshot(servers), prefix);
  const look: SiftedQueue = {waiting: [], removed: []};
  if (!own) return look;
  const queued = functions.filter(({total, running}) => total > running);
  for (const server of new Set(queued.map((seen) => seen.server))) {
    const names = queued.filter((seen) => seen.server === server).map((seen) => seen.function);
    const peeked = await peekQueue(server.address, names, {timeoutSeconds, take});
    look.waiting.push(...peeked.jobs);
    look.removed.push(...peeked.removed.map((job) => ({...job, address: server.address})));
  }
  return look;
}
