import {isIPv6} from 'node:net';
import {usageError} from '../errors.ts';

export const GEARMAN_PORT = 4730;

export interface ServerAddress {
  host: string;
  port: number;
}

/** `host:port`, an IPv6 host in brackets. */
export function formatAddress({host, port}: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `HOST[:PORT]`, IPv6 as `[::1]:4730` or bare `::1`. The port is 4730 if none is given.
 * @param origin of the text, for the error
 * @throws AtomctlError USAGE if it is not an address
 */
export function parseAddress(text: string, origin: string): ServerAddress {
  const {host, port} = splitAddress(text.trim());
  if (host === undefined || port < 1 || port > 65_535) {
    throw usageError(
      `"${text}" (${origin}) is not a valid Gearman server address.`,
      'Give HOST, HOST:PORT or [IPV6]:PORT, for example 127.0.0.1:4730.',
    );
  }
  return {host, port};
}

const NAME_AND_PORT = /^([^\s:/@[\]]+)(?::(\d{1,5}))?$/;
const BRACKETS_AND_PORT = /^\[([^\s[\]]+)\](?::(\d{1,5}))?$/;

function splitAddress(text: string): {host: string | undefined; port: number} {
  const named = NAME_AND_PORT.exec(text);
  if (named) return {host: named[1], port: Number(named[2] ?? GEARMAN_PORT)};
  if (isIPv6(text)) return {host: text, port: GEARMAN_PORT};
  const bracketed = BRACKETS_AND_PORT.exec(text);
  if (bracketed === null || !isIPv6(bracketed[1]!)) return {host: undefined, port: 0};
  return {host: bracketed[1], port: Number(bracketed[2] ?? GEARMAN_PORT)};
}

/**
 * The hosts to try in turn. `localhost` means both address families: some resolvers give IPv6 first, some give
 * only one, and gearmand may listen on the other.
 */
export function hostsToTry(host: string): string[] {
  return host.toLowerCase() === 'localhost' ? ['127.0.0.1', '::1'] : [host];
}
