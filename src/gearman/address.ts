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
 * Reads `HOST[:PORT]`, IPv6 as `[::1]:4730` or bare `::1`. Default port 4730.
 * @param origin where the text came from, for the error
 * @throws AtomctlError USAGE where it is no address
 */
export function parseAddress(text: string, origin: string): ServerAddress {
  const match =
    /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/]+)|([0-9a-fA-F:.]*::?[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(
      text.trim(),
    );
  const bareIpv6 = /^[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text.trim());
  if (bareIpv6) return {host: text.trim(), port: GEARMAN_PORT};
  const host = match?.[1] ?? match?.[2];
  const port = match?.[4] === undefined ? GEARMAN_PORT : Number(match[4]);
  if (!host || port < 1 || port > 65535) {
    throw usageError(
      `"${text}" (${origin}) is no Gearman server address.`,
      'Give HOST, HOST:PORT or [IPV6]:PORT, for example 127.0.0.1:4730.',
    );
  }
  return {host, port};
}
