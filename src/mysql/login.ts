import {readFile} from 'node:fs/promises';
import type {Socket} from 'node:net';
import type {Connection, ConnectionOptions, SslOptions} from 'mysql2';
import {AtomctlError, usageError} from '../errors.ts';
import type {DatabaseConfig, ServerInfo} from './database.ts';
import {describeEndpoint, dial, endpointOf} from './endpoint.ts';
import {readGreeting} from './greeting.ts';

/** A login takes some hundred bytes. The driver itself would gather an answer without end for as long as it may. */
const MOST_BYTES = 1024 * 1024;
const LOOK_EVERY_MS = 20;

export interface LoggedIn {
  socket: Socket;
  connection: Connection;
  server: ServerInfo;
}

/**
 * Connects, logs in and sets the session, all within `timeoutSeconds`.
 * @throws AtomctlError DATABASE_TIMEOUT, or DATABASE_UNREACHABLE where no MySQL server answers, or USAGE for the
 *   CA file; otherwise what the socket, the driver or the server says
 */
export async function logIn(config: DatabaseConfig, timeoutSeconds: number): Promise<LoggedIn> {
  const options = await driverOptions(config);
  const endpoint = endpointOf(config);
  const place = describeEndpoint(endpoint);
  // Whoever waits for the socket hears of its errors; in between, nobody may.
  const socket = dial(endpoint, timeoutSeconds).on('error', () => {});
  let deadline: NodeJS.Timeout | undefined;
  let look: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const expire = () => reject(noAnswer(place, timeoutSeconds, socket.connecting));
    deadline = setTimeout(expire, timeoutSeconds * 1000);
    look = setInterval(() => {
      if (socket.bytesRead > MOST_BYTES) reject(endlessAnswer(place));
    }, LOOK_EVERY_MS);
  });
  try {
    return await Promise.race([introduce(socket, {...options, ...endpoint}, place), expiry]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(deadline);
    clearInterval(look);
  }
}

/** The driver is loaded while the server makes up its greeting. */
async function introduce(socket: Socket, options: ConnectionOptions, place: string): Promise<LoggedIn> {
  const [server, {createConnection}] = await Promise.all([readGreeting(socket, place), import('mysql2')]);
  if (socket.errored) throw socket.errored;
  const connection = createConnection({...options, stream: socket});
  await new Promise<void>((resolve, reject) => {
    // It stays: a connection that dies while idle says so by an event, and the next statement fails.
    connection.on('error', reject);
    connection.query(SET_SESSION, (error) => (error ? reject(error) : resolve()));
  });
  // Who greets with a refusal lets nobody get this far.
  return {socket, connection, server: server!};
}

async function driverOptions({user, password, database, tls}: DatabaseConfig): Promise<ConnectionOptions> {
  return {
    user,
    password: password.reveal(),
    database,
    ssl: await tlsOptions(tls),
    // None is prepared; by default memory for sixteen thousand is taken.
    maxPreparedStatements: 1,
    // The deadline of the login covers what this would.
    connectTimeout: 0,
    // A matched row that stays as it was is not a changed one, and no server may ask for this machine's files.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    charset: 'UTF8MB4_BIN',
    connectAttributes: {program_name: 'atomctl'},
    // Debian's root logs in by the socket alone: the server asks the kernel who we are.
    authPlugins: {auth_socket: () => () => Buffer.alloc(0)},
    // Dates and JSON as stored text; numbers as numbers, but exact where they are too big for one.
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    decimalNumbers: true,
    stringifyObjects: true,
  };
}

function noAnswer(place: string, timeoutSeconds: number, connecting: boolean): AtomctlError {
  const message = connecting
    ? `The MySQL server at ${place} could not be reached within ${timeoutSeconds} s.`
    : `The server at ${place} took the connection and did not complete the login within ${timeoutSeconds} s.`;
  return new AtomctlError('DATABASE_TIMEOUT', message, {
    hint: 'Check that MySQL runs there and that no firewall is in between, or give it longer with --timeout.',
  });
}

function endlessAnswer(place: string): AtomctlError {
  return new AtomctlError(
    'DATABASE_UNREACHABLE',
    `The server at ${place} answers the login with more than any MySQL server would.`,
    {hint: 'Check the host and the port of the database.'},
  );
}

/** How long a statement waits for another session's lock, in seconds, before it is given up and tried again. */
const LOCK_WAIT_SECONDS = 5;

/**
 * What every session is set to, whatever the server's own settings, in one statement and so one round trip.
 *
 * Isolation is REPEATABLE READ, the servers' default: READ COMMITTED cannot write where the binary log is
 * statement-based. The variable's name differs, and each server runs only the comment that is meant for it.
 *
 * MySQL would hash AtoM's few users in memory and then sort the whole history, notes and all, before it sends the
 * first row. Told to look each of them up by its key, it reads jobs in their order and sends as it reads.
 */
const SETTINGS = [
  // Literals compare by code point, and any character can be stored and read back.
  'NAMES utf8mb4 COLLATE utf8mb4_bin',
  // Backslash escapes work (values are quoted with them), `"` quotes text, and nothing is silently cut on writing.
  "sql_mode = 'STRICT_ALL_TABLES'",
  "time_zone = '+00:00'",
  "lc_time_names = 'en_US'",
  'default_week_format = 0',
  'div_precision_increment = 4',
  // MariaDB's ceiling; more than AtoM's notes on one job can come to.
  `group_concat_max_len = ${2 ** 30}`,
  'sql_select_limit = 18446744073709551615',
  'sql_big_selects = 1',
  'sql_auto_is_null = 0',
  'sql_safe_updates = 0',
  // Deleting an object must take its job and notes along, and a statement of its own must be committed.
  'foreign_key_checks = 1',
  'unique_checks = 1',
  'autocommit = 1',
  `innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  `lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  // A day for whoever reads an export slowly, eight hours at a prompt or under --watch.
  'net_write_timeout = 86400',
  'wait_timeout = 28800',
];

export const SET_SESSION = `SET ${SETTINGS.join(', ')}
  /*!80000 , transaction_isolation = 'REPEATABLE-READ', optimizer_switch = 'block_nested_loop=off' */
  /*M!100500 , tx_isolation = 'REPEATABLE-READ' */`;

/**
 * The driver's TLS options for a mode; undefined where the connection stays in the clear. Without a CA file the
 * certificate is checked against the authorities that Node knows.
 * @throws AtomctlError USAGE where the CA file cannot be read
 */
export async function tlsOptions({mode, caFile}: DatabaseConfig['tls']): Promise<SslOptions | undefined> {
  if (mode === 'off') return undefined;
  return {
    ca: caFile === null ? undefined : await readCertificates(caFile),
    rejectUnauthorized: mode !== 'required',
    verifyIdentity: mode === 'verify-identity',
  };
}

async function readCertificates(caFile: string): Promise<string> {
  try {
    return await readFile(caFile, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw usageError(
      `The CA file "${caFile}" for the database cannot be read (${code}).`,
      'Give sslCa the path of a PEM file that this user may read.',
    );
  }
}
