import {existsSync} from 'node:fs';
import {connect, type Socket} from 'node:net';
import type {DatabaseConfig} from './database.ts';

/**
 * Where MySQL and MariaDB put their socket: Debian, Debian without the link /var/run, and Red Hat. Not that of a source
 * build, /tmp/mysql.sock: any user may put a server there, which would get the password.
 */
export const USUAL_SOCKETS = [
  '/run/mysqld/mysqld.sock',
  '/var/run/mysqld/mysqld.sock',
  '/var/lib/mysql/mysql.sock',
] as const;

/** The first usual socket that exists; the first of all if none exists. */
export function findSocket(exists: (path: string) => boolean = existsSync): string {
  return USUAL_SOCKETS.find(exists) ?? USUAL_SOCKETS[0];
}

/** Where a MySQL server is reached. */
export type DatabaseEndpoint = {socketPath: string} | {host: string; port: number};

/** The socket or the host and port that a configuration means; a socket wins over a host. */
export function endpointOf(config: DatabaseConfig): DatabaseEndpoint {
  if (config.socketPath !== null) return {socketPath: config.socketPath};
  if (config.host !== null) return {host: config.host, port: config.port};
  return {socketPath: findSocket()};
}

/** `127.0.0.1:3306`, `[::1]:3306` or `/run/mysqld/mysqld.sock`, for messages. */
export function describeEndpoint(endpoint: DatabaseEndpoint): string {
  if ('socketPath' in endpoint) return endpoint.socketPath;
  const {host, port} = endpoint;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Starts to connect; the caller handles the errors of the socket. Keepalive notices a peer that vanished silently
 * while a long statement runs: the kernel gives up ten seconds after `timeoutSeconds`.
 */
export function dial(endpoint: DatabaseEndpoint, timeoutSeconds: number): Socket {
  if ('socketPath' in endpoint) return connect(endpoint.socketPath);
  // A name with two addresses is tried on both: `localhost` may be ::1 first, with MySQL on 127.0.0.1 alone.
  const socket = connect({...endpoint, autoSelectFamily: true, noDelay: true});
  socket.setKeepAlive(true, timeoutSeconds * 1000);
  // Node checks a certificate against the name that it looked up, and would treat `localhost` as an address.
  return Object.assign(socket, {_host: endpoint.host});
}
