import {usageError} from '../errors.ts';
import {Secret} from '../secret.ts';
import type {DatabaseConfig, TlsMode} from './database.ts';

export const MYSQL_PORT = 3306;
export const TLS_MODES: readonly TlsMode[] = ['off', 'required', 'verify-ca', 'verify-identity'];

const PARAMETERS = ['socketPath', 'ssl', 'sslCa'];
const SHAPE = 'mysql://user:password@host:port/database';
const URL_PATTERN =
  /^mysql:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^/?#]*))?@)?(?<host>\[[^\]/?#]*\]|[^:@/?#[\]]*)(?::(?<port>\d+))?(?:\/(?<database>[^/?#]*))?(?:\?(?<query>[^#]*))?$/;

/**
 * Reads `mysql://user:password@host:port/database?socketPath=PATH&ssl=MODE&sslCa=FILE`.
 *
 * Every part is percent-decoded; host, port and password may be left out (localhost by TCP, 3306, none).
 * With socketPath the host is not used. No file is read here.
 * @param origin of the URL, for the error
 * @throws AtomctlError USAGE; its message never repeats the URL, which may hold a password
 */
export function parseDatabaseUrl(url: string, origin: string): DatabaseConfig {
  const wrong = (problem: string, hint = `Give ${SHAPE}.`) =>
    usageError(`The database URL (${origin}) ${problem}.`, hint);
  const parts = URL_PATTERN.exec(url.trim())?.groups;
  if (!parts) {
    throw wrong(
      'does not have the expected form',
      `Give ${SHAPE}; in the password write / as %2F, ? as %3F, # as %23 and % as %25.`,
    );
  }
  const decode = (part: string | undefined, what: string) => {
    try {
      return decodeURIComponent(part ?? '');
    } catch {
      throw wrong(`has a ${what} with a malformed percent escape`, 'Write a literal % as %25.');
    }
  };
  const user = decode(parts.user, 'user');
  const database = decode(parts.database, 'database name');
  const port = Number(parts.port ?? MYSQL_PORT);
  if (user === '') throw wrong('has no user');
  if (database === '') throw wrong('has no database name');
  if (port < 1 || port > 65535) throw wrong(`has the port ${port}, which is not between 1 and 65535`);

  const parameters = new URLSearchParams(parts.query);
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) {
    throw wrong(`has an unknown parameter "${unknown}"`, `Known parameters: ${PARAMETERS.join(', ')}.`);
  }
  const socketPath = parameters.get('socketPath');
  if (socketPath !== null && !socketPath.startsWith('/')) {
    throw wrong('has a socketPath that is not absolute', 'Example: ?socketPath=/run/mysqld/mysqld.sock');
  }
  const host = decode(parts.host, 'host').replace(/^\[(.*)\]$/, '$1') || 'localhost';
  return {
    host: socketPath === null ? host : null,
    port,
    socketPath,
    user,
    password: new Secret(decode(parts.password, 'password')),
    database,
    tls: readTls(parameters, wrong),
  };
}

function readTls(
  parameters: URLSearchParams,
  wrong: (problem: string, hint?: string) => Error,
): DatabaseConfig['tls'] {
  const mode = TLS_MODES.find((known) => known === (parameters.get('ssl') ?? 'off'));
  const caFile = parameters.get('sslCa');
  if (mode === undefined) {
    throw wrong(
      `has an unknown ssl mode "${parameters.get('ssl')}"`,
      `Known modes: ${TLS_MODES.join(', ')}.`,
    );
  }
  if (caFile !== null && mode === 'off') {
    throw wrong('has sslCa without ssl', 'Add ssl=verify-ca or ssl=verify-identity.');
  }
  return {mode, caFile};
}
