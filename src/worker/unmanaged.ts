import type {ServerReport} from '../queue/server-report.ts';
import {queueWorkers} from '../queue/workers.ts';

/** A worker of this site that is connected to Gearman and belongs to no unit that is looked at. */
export interface UnmanagedWorker {
  id: string;
  /** On its own host or in its container. */
  pid: number | null;
  ip: string;
  abilities: string[];
  servers: string[];
}

/** The site's workers on all servers but those with the given process ids, each once. */
export function unmanagedWorkers(options: {
  answers: readonly ServerReport[];
  pids: readonly number[];
  prefix: string | null;
}): UnmanagedWorker[] {
  return queueWorkers({servers: options.answers, prefix: options.prefix})
    .filter(({thisSite, pid}) => thisSite && !options.pids.includes(pid ?? 0))
    .map(({id, pid, ip, abilities, servers}) => ({id, pid, ip, abilities, servers}));
}
