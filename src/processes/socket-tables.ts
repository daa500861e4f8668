import {SocketAddress} from 'node:net';
import {endianness} from 'node:os';
import {join} from 'node:path';
import {readText} from './read-text.ts';

/** Socket states in the kernel's tables. */
export const ESTABLISHED = '01';
export const LISTEN = '0A';

/**
 * A host with ten thousand connections has a table of 1.5 MB. A larger one counts as unreadable, not as a shorter
 * one.
 */
const TABLE_BYTES = 16 * 1024 * 1024;

export interface Endpoint {
  /** IPv4 or IPv6 in its usual form; an IPv4 address that is mapped into IPv6 as IPv4. */
  address: string;
  port: number;
}

export interface Socket {
  local: Endpoint;
  remote: Endpoint;
  /** Two hex digits. */
  state: string;
  inode: number;
}

const OPEN = new RegExp(`^ *\\d+: \\S+ \\S+ (?:${ESTABLISHED}|${LISTEN})\\b`);

/**
 * The sockets in /proc/net/tcp or tcp6: one line for each, with local and remote address and port in hex, the state,
 * and the inode as the tenth column. The address is in words of 32 bits in the byte order of the host. Other lines
 * are skipped, and sockets that neither listen nor are connected: a busy host has thousands that wait for their end.
 */
export function parseSocketTable(table: string, order: 'LE' | 'BE' = endianness()): Socket[] {
  return table.split('\n').flatMap((line) => {
    if (!OPEN.test(line)) return [];
    const columns = line.trim().split(/\s+/, 10);
    const [, local, remote, state = '', , , , , , inode = ''] = columns;
    const ends = [parseEndpoint(local, order), parseEndpoint(remote, order)] as const;
    if (ends[0] === null || ends[1] === null) return [];
    return [{local: ends[0], remote: ends[1], state, inode: Number(inode)}];
  });
}

function parseEndpoint(text = '', order: 'LE' | 'BE'): Endpoint | null {
  const [, hex, port] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex === undefined || (hex.length !== 8 && hex.length !== 32)) return null;
  const bytes = Buffer.from(hex, 'hex');
  if (order === 'LE') bytes.swap32();
  return {address: formatIp(bytes), port: Number.parseInt(port!, 16)};
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.subarray(0, 12).equals(MAPPED)) return bytes.subarray(12).join('.');
  const groups = bytes.toString('hex').match(/.{4}/g)!;
  return new SocketAddress({family: 'ipv6', address: groups.join(':')}).address;
}

/**
 * Whether something listens on a TCP port, and whether on every interface. The kernel's tables tell it to anybody.
 */
export function listenerOn(port: number, sockets: readonly Socket[]): 'none' | 'chosen' | 'every' {
  const listeners = sockets.filter(({local, state}) => state === LISTEN && local.port === port);
  if (listeners.length === 0) return 'none';
  return listeners.some(({local}) => local.address === '0.0.0.0' || local.address === '::')
    ? 'every'
    : 'chosen';
}

/**
 * The TCP sockets in the network namespace of a process (`self`: this one); null if the tables cannot be read. A
 * kernel without IPv6 has only the first table.
 * @param directory such as `/proc/self`
 */
export async function readSockets(directory = '/proc/self'): Promise<Socket[] | null> {
  const tables = await Promise.all(
    ['net/tcp', 'net/tcp6'].map((name) => readText(join(directory, name), TABLE_BYTES).catch(() => null)),
  );
  const readable = tables.filter((table) => table !== null && !table.cut).map((table) => table!.text);
  if (readable.length === 0 || tables.some((table) => table?.cut)) return null;
  return readable.flatMap((table) => parseSocketTable(table));
}
