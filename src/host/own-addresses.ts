import {isIPv4} from 'node:net';
import {hostname, networkInterfaces} from 'node:os';

/** True for an IP address of the loopback interface; `::ffff:127.0.0.1` is one too. */
export function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** True for an IP address of this host. */
export function isOwnAddress(address: string): boolean {
  const plain = unmapped(address);
  return isLoopback(plain) || interfaceAddresses().has(plain);
}

/**
 * True if a connection that a server shows is from an address of this host. A loopback address is this host's only if the
 * server is.
 * @param server `host:port`
 */
export function comesFromHere(ip: string, server: string): boolean {
  const serverHost = server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return isLoopback(ip) ? ownAddressesOf(serverHost).length > 0 : isOwnAddress(ip);
}

/** The IP addresses of this host that a host name surely means; empty for any other host. Nothing is looked up. */
export function ownAddressesOf(host: string): string[] {
  const name = unmapped(host.toLowerCase());
  if (name === 'localhost') return ['127.0.0.1', '::1'];
  if (name === hostname().toLowerCase()) return [...interfaceAddresses(), '127.0.0.1', '127.0.1.1', '::1'];
  return isOwnAddress(name) ? [name] : [];
}

function interfaceAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({address}) => address)),
  );
}

function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
