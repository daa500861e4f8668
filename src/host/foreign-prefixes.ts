import type {Connection} from '../gearman/server.ts';
import type {AtomProcess} from '../processes/read-processes.ts';
import {splitFunctionName} from '../queue/function-name.ts';
import {pidOf} from '../queue/workers.ts';
import {isOwnAddress} from './own-addresses.ts';

/** What the servers showed. */
export interface SeenOnServers {
  functions: readonly {prefix: string | null}[];
  /** By server, `host:port`. */
  connections?: ReadonlyMap<string, readonly Connection[]>;
}

export interface ForeignPrefixOptions {
  /** This site's prefixes, which are never another site's. */
  own: ReadonlySet<string>;
  /** Prefixes of the other sites that atomctl's configuration names. */
  namedSites: () => Promise<Iterable<string>>;
  /** The workers on this host that are known to be another site's. */
  otherWorkers: () => Promise<readonly AtomProcess[]>;
}

/**
 * The prefixes that are known to be other sites': those of sites that atomctl's configuration names, and those under
 * which only workers of other sites on this host are connected. Nothing is asked if the servers show none but this
 * site's.
 */
export async function foreignPrefixes(
  {functions, connections = new Map()}: SeenOnServers,
  {own, namedSites, otherWorkers}: ForeignPrefixOptions,
): Promise<Set<string>> {
  const unknown = new Set(functions.flatMap(({prefix}) => prefix ?? []).filter((prefix) => !own.has(prefix)));
  const foreign = new Set<string>();
  const settle = (prefixes: Iterable<string>) => {
    for (const prefix of prefixes) if (unknown.delete(prefix)) foreign.add(prefix);
  };
  if (unknown.size > 0) settle(await namedSites());
  if (unknown.size > 0 && connections.size > 0) settle(prefixesOf(connections, await otherWorkers()));
  return foreign;
}

/** Prefixes under which every connection is one of these workers'. */
function prefixesOf(
  connections: ReadonlyMap<string, readonly Connection[]>,
  workers: readonly AtomProcess[],
): Set<string> {
  const byPid = new Map(workers.map((worker) => [worker.pid, worker]));
  const [theirs, shared] = [new Set<string>(), new Set<string>()];
  for (const [server, ofServer] of connections) {
    const port = Number(/\d+$/.exec(server)?.[0]);
    for (const {id, ip, functions} of ofServer) {
      const worker = byPid.get(pidOf(id) ?? Number.NaN);
      // A container may have a process of the same id, so the worker here must be connected there too.
      const isTheirs = isOwnAddress(ip) && worker?.connections?.some((end) => end.port === port) === true;
      for (const name of functions) {
        const {prefix} = splitFunctionName(name);
        if (prefix !== null) (isTheirs ? theirs : shared).add(prefix);
      }
    }
  }
  for (const prefix of shared) theirs.delete(prefix);
  return theirs;
}
