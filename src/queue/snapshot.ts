import {isAtomClass} from '../atom/job-classes.ts';
import type {AtomctlError} from '../errors.ts';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import type {Connection, FunctionStatus, GearmanServer, ServerConnection} from '../gearman/server.ts';
import {type FunctionName, isOwnFunction, PROBE_LOCK, splitFunctionName} from './function-name.ts';
import {isCurrentHold, isCurrentProbe} from './probe/probe-id.ts';

/** A function of one server at one moment, with its name taken apart. */
export interface SeenFunction extends FunctionStatus, FunctionName {
  server: GearmanServer;
  /** Names the function on this server: see queueName. */
  queue: string;
}

/** What every Gearman server of a site said of its functions, and which servers said nothing. */
export interface QueueSnapshot {
  functions: SeenFunction[];
  answered: GearmanServer[];
  missing: {address: ServerConnection['address']; error: AtomctlError}[];
  /** Every connection of each server that answered, by its address; empty if they were not asked for. */
  connections: Map<string, Connection[]>;
  /** Addresses of servers of which another atomctl holds jobs: these count as running. */
  probing: Set<string>;
  /** Addresses of servers whose probe lock a client has held for longer than a probe lasts: no atomctl probes there. */
  abandonedLocks: Set<string>;
}

/**
 * Asks every server for its functions, side by side, without atomctl's own. Never rejects for a server that fails.
 * @param options.nowMs tells a probe that goes on from a client that only calls itself one
 */
export async function takeSnapshot(
  servers: readonly ServerConnection[],
  options: {connections: boolean; nowMs: number} = {connections: false, nowMs: 0},
): Promise<QueueSnapshot> {
  const snapshot: QueueSnapshot = {
    functions: [],
    answered: [],
    missing: [],
    connections: new Map(),
    probing: new Set(),
    abandonedLocks: new Set(),
  };
  await Promise.all(
    servers.map(async (connection) => {
      if ('error' in connection) {
        snapshot.missing.push(connection);
        return;
      }
      try {
        await readServer(connection, options, snapshot);
      } catch (error) {
        snapshot.missing.push({address: connection.address, error: error as AtomctlError});
      }
    }),
  );
  return snapshot;
}

async function readServer(
  {address, server}: {address: ServerAddress; server: GearmanServer},
  options: {connections: boolean; nowMs: number},
  snapshot: QueueSnapshot,
): Promise<void> {
  const rows = await server.status();
  const connections = options.connections ? await server.connections() : null;
  snapshot.answered.push(server);
  if (connections !== null) snapshot.connections.set(formatAddress(address), connections);
  // If its holder was killed, gearmand keeps the lock's job as waiting until somebody takes it: then nobody holds it.
  const locked = rows.some((row) => row.function === PROBE_LOCK && row.running > 0);
  if (locked) {
    const held = connections === null || isHeldByProbe(connections, options.nowMs);
    (held ? snapshot.probing : snapshot.abandonedLocks).add(formatAddress(address));
  }
  for (const row of rows) {
    if (isOwnFunction(row.function)) continue;
    const queue = queueName(address, row.function);
    snapshot.functions.push({...row, ...splitFunctionName(row.function), server, queue});
  }
}

/** True unless every client that can hold the lock has held it for longer than a probe or a queue:hold lasts. */
function isHeldByProbe(connections: readonly Connection[], nowMs: number): boolean {
  const holders = connections.filter(({functions}) => functions.includes(PROBE_LOCK));
  return (
    holders.length === 0 || holders.some(({id}) => isCurrentProbe(id, nowMs) || isCurrentHold(id, nowMs))
  );
}

/** One name for a function on one server, whose jobs no other server knows. */
export function queueName(address: ServerAddress, name: string): string {
  return `${name} ${formatAddress(address)}`;
}

/** The function in a name of queueName. */
export function functionOfQueue(queue: string): string {
  return queue.slice(0, queue.lastIndexOf(' '));
}

/** The server in a name of queueName, `host:port`. */
export function serverOfQueue(queue: string): string {
  return queue.slice(queue.lastIndexOf(' ') + 1);
}

/** The function prefixes under which a site's jobs may be. */
export interface SitePrefixes {
  /** The site's own: null if it is not known, empty if its functions have none. */
  own: string | null;
  /** Others that are the site's too, as that of AtoM's compiled cache. */
  also: readonly string[];
  /** Those on the servers that are known to be other sites'. */
  foreign(
    seen: Pick<QueueSnapshot, 'connections'> & {functions: readonly {prefix: string | null}[]},
  ): Promise<ReadonlySet<string>>;
}

/** `unknown`: it may be this site's. */
export type FunctionOwner = 'site' | 'unknown' | 'other';

/**
 * Whose a function is. One under a prefix that is not known to be another site's may be this site's: a deploy that
 * moves the root leaves workers and jobs under the old prefix.
 */
export function ownerOf(
  {prefix, jobClass}: FunctionName,
  prefixes: SitePrefixes,
  foreign: ReadonlySet<string>,
): FunctionOwner {
  // Without a prefix only AtoM's own classes are distinguished from other programs' functions.
  if (prefix === null) return prefixes.own === '' && isAtomClass(jobClass) ? 'site' : 'other';
  if (prefix === prefixes.own || prefixes.also.includes(prefix)) return 'site';
  return foreign.has(prefix) ? 'other' : 'unknown';
}
