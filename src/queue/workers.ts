import {byCode, splitFunctionName} from './function-name.ts';
import {claimsToBeProbe} from './probe/probe-id.ts';
import type {ServerReport} from './server-report.ts';

/** A worker process: one, however many servers it is connected to. */
export interface QueueWorker {
  /** As the worker calls itself: `pid_<PID>_<hex>` for AtoM's. */
  id: string;
  /** The process id on the worker's own host or in its container; null if the worker's id does not show it. */
  pid: number | null;
  /** The address from which it is connected to the first of its servers. */
  ip: string;
  /** null if its functions have none, or not all the same. */
  prefix: string | null;
  thisSite: boolean;
  /** Job classes if it has a prefix, otherwise the functions as they are; sorted. */
  abilities: string[];
  /** The servers, `host:port`, to which it is connected. */
  servers: string[];
}

/** A connected worker with its functions, as Gearman names them. */
export interface ConnectedWorker {
  id: string;
  ip: string;
  functions: ReadonlySet<string>;
  servers: readonly string[];
}

/**
 * The workers on all servers, each once: an AtoM worker connects to every server under the same id.
 * A connection without functions is not a worker, nor is a client that calls itself as atomctl's probe does; a worker without an id (`-`) counts as a separate worker.
 */
export function connectedWorkers(
  servers: readonly Pick<ServerReport, 'address' | 'connections'>[],
): ConnectedWorker[] {
  const workers = new Map<string, {id: string; ip: string; functions: Set<string>; servers: string[]}>();
  for (const {address, connections} of servers) {
    for (const {id, ip, fd, functions} of connections) {
      if (functions.length === 0 || claimsToBeProbe(id)) continue;
      const identity = id === '' || id === '-' ? `${address} ${fd}` : id;
      const worker = workers.get(identity) ?? {id, ip, functions: new Set(), servers: []};
      workers.set(identity, worker);
      for (const name of functions) worker.functions.add(name);
      if (!worker.servers.includes(address)) worker.servers.push(address);
    }
  }
  return [...workers.values()];
}

/**
 * The workers connected to Gearman, this site's first, then by prefix and id.
 * @param options.prefix this site's function prefix: null if it is not known, empty if the site has none
 */
export function queueWorkers(options: {
  servers: readonly ServerReport[];
  prefix: string | null;
}): QueueWorker[] {
  return connectedWorkers(options.servers)
    .map((worker) => describe(worker, options.prefix))
    .sort((one, other) => Number(other.thisSite) - Number(one.thisSite) || compare(one, other));
}

function describe({id, ip, functions, servers}: ConnectedWorker, sitePrefix: string | null): QueueWorker {
  const names = [...functions].map(splitFunctionName);
  const prefixes = [...new Set(names.map((name) => name.prefix))];
  const prefix = prefixes.length === 1 ? prefixes[0]! : null;
  return {
    id,
    pid: pidOf(id),
    ip,
    prefix,
    thisSite: names.some((name) => (name.prefix ?? '') === sitePrefix),
    abilities: prefix === null ? [...functions].sort() : names.map(({jobClass}) => jobClass).sort(),
    servers: [...servers],
  };
}

/** The process id in a worker's id, which AtoM makes of the process id and a time in hex; null if the id is not AtoM's. */
export function pidOf(id: string): number | null {
  const [, pid] = /^pid_(\d+)_/.exec(id) ?? [];
  return pid === undefined ? null : Number(pid);
}

function compare(one: QueueWorker, other: QueueWorker): number {
  return byCode(one.prefix ?? '', other.prefix ?? '') || byCode(one.id, other.id);
}
