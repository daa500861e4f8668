import {usageError} from '../../errors.ts';
import type {DatabaseConfig} from '../../mysql/database.ts';
import {MYSQL_PORT} from '../../mysql/database-url.ts';
import {findSocket} from '../../mysql/endpoint.ts';
import {Secret} from '../../secret.ts';

/** A key with its value, or without one. It matches at every place, so that a long text takes no long time. */
const PART = /([^=;]*)(?:=((?:;;|[^;])*)|;|$)/gy;

/**
 * Reads PDO's `mysql:host=…;port=…;dbname=…`, keys in any order, `;;` for a semicolon in a value.
 *
 * As in PHP, no host and host=localhost mean the Unix socket, whatever the port is, and `unix_socket` counts only
 * then. Every other host, also 127.0.0.1, means TCP.
 * @param origin of the DSN, for the error
 * @throws AtomctlError USAGE; its message never repeats the DSN, which may hold a password
 */
export function parsePdoDsn(dsn: string, origin: string, socket = findSocket): Partial<DatabaseConfig> {
  const wrong = (problem: string) =>
    usageError(
      `The database DSN (${origin}) ${problem}.`,
      'AtoM writes mysql:host=HOST;port=PORT;dbname=DATABASE; or give the database with --database-url.',
    );
  if (!dsn.startsWith('mysql:')) throw wrong('does not begin with mysql:');
  const values = new Map<string, string>();
  for (const [, key, value] of dsn.slice('mysql:'.length).matchAll(PART)) {
    if (value !== undefined) values.set(key!.trim(), value.replaceAll(';;', ';'));
  }
  const database = values.get('dbname');
  const host = (values.get('host') || 'localhost').replace(/^\[(.*)\]$/, '$1');
  const port = Number(values.get('port') || MYSQL_PORT);
  if (!database) throw wrong('has no database name');
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw wrong('has a port that is not a number from 1 to 65535');
  const place =
    host === 'localhost'
      ? {host: null, socketPath: values.get('unix_socket') || socket()}
      : {host, socketPath: null};
  const user = values.get('user');
  const password = values.get('password');
  return {
    ...place,
    port,
    database,
    ...(user ? {user} : {}),
    ...(password ? {password: new Secret(password)} : {}),
  };
}
