import {readFile} from 'node:fs/promises';

/** TCP_LISTEN in the kernel's tables. */
const LISTEN = '0A';

/**
 * Whether something on this host listens on a TCP port, and whether on every interface. The kernel's tables tell
 * it to anybody: one line a socket, local address and port in hex, then the remote ones, then the state.
 * @param tables the contents of /proc/net/tcp and tcp6
 */
export function listenerOn(port: number, tables: readonly string[]): 'none' | 'chosen' | 'every' {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const addresses = tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', at] = local.split(':');
      return state === LISTEN && at === wanted ? [address] : [];
    }),
  );
  if (addresses.length === 0) return 'none';
  return addresses.some((address) => /^0+$/.test(address)) ? 'every' : 'chosen';
}

/** The kernel's tables of TCP sockets; null on a system without them. */
export async function readSocketTables(): Promise<string[] | null> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => null)),
  );
  const readable = tables.filter((table) => table !== null);
  return readable.length === 0 ? null : readable;
}
