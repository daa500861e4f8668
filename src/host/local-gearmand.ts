import {readlink} from 'node:fs/promises';
import {join} from 'node:path';
import type {ServerAddress} from '../gearman/address.ts';
import type {GearmandProcess} from '../processes/read-processes.ts';
import {type Endpoint, LISTEN, type Socket} from '../processes/socket-tables.ts';
import {isLoopback, ownAddressesOf} from './own-addresses.ts';

/** What this host shows of a Gearman server. */
export interface GearmandFacts {
  /** When its process began, epoch milliseconds; null if it is not a process of this host, or cannot be read. */
  startedMs: number | null;
  /** It listens on no address but this host's loopback. */
  onlyLoopback: boolean;
}

export interface LocalGearmandOptions {
  gearmands: readonly GearmandProcess[];
  /** The sockets of this network namespace; null if they cannot be read. */
  sockets: readonly Socket[] | null;
  /** Where the process file system is mounted. */
  proc?: string;
}

const UNKNOWN: GearmandFacts = {startedMs: null, onlyLoopback: false};

/**
 * The process of gearmand that answers at an address of this host. Behind a port of this host may also be a proxy to a
 * container or an ssh tunnel to another host, so the socket must be seen among gearmand's own, in this network
 * namespace. If several processes may answer, the youngest counts.
 */
export async function gearmandFacts(
  address: ServerAddress,
  options: LocalGearmandOptions,
): Promise<GearmandFacts> {
  const targets = ownAddressesOf(address.host);
  if (targets.length === 0 || options.sockets === null) return UNKNOWN;
  const answers = ({address: bound, port}: Endpoint) =>
    port === address.port && (bound === '0.0.0.0' || bound === '::' || targets.includes(bound));
  const candidates = options.gearmands.filter(({listens}) => listens?.some(answers));
  const here = await Promise.all(candidates.map(({pid}) => sharesNetwork(pid, options.proc)));
  const found = candidates.filter((_, at) => here[at]);
  if (found.length === 0) return UNKNOWN;
  const listeners = options.sockets.filter(
    ({state, local}) => state === LISTEN && local.port === address.port,
  );
  const isGearmands = ({local}: Socket) =>
    found.some(({listens}) =>
      listens!.some((own) => own.port === local.port && own.address === local.address),
    );
  return {
    startedMs: Math.max(...found.map(({startedAt}) => startedAt)),
    onlyLoopback:
      listeners.length > 0 &&
      listeners.every((socket) => isLoopback(socket.local.address) && isGearmands(socket)),
  };
}

async function sharesNetwork(pid: number, proc = '/proc'): Promise<boolean> {
  const names = [String(pid), 'self'].map((name) => readlink(join(proc, name, 'ns/net')));
  const [its, own] = await Promise.all(names).catch(() => []);
  return its !== undefined && its === own;
}
