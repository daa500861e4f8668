import type {Socket} from 'node:net';
import type {authPlugins, Connection, ConnectionOptions, SslOptions} from 'mysql2';
import {AtomctlError, cannotBeRead} from '../errors.ts';
import {readFile} from '../files/sync-files.ts';
import type {DatabaseConfig, ServerInfo} from './database.ts';
import {describeEndpoint, dial, endpointOf} from './endpoint.ts';
import {readGreeting} from './greeting.ts';

/** A login takes some hundred bytes. The driver itself would collect an endless answer until the deadline. */
const MAX_LOGIN_BYTES = 1024 * 1024;
const CHECK_EVERY_MS = 20;

export interface LoggedIn {
  socket: Socket;
  connection: Connection;
  server: ServerInfo;
}

/**
 * Connects, logs in and sets the session, all within `timeoutSeconds`.
 * @throws AtomctlError DATABASE_TIMEOUT, or DATABASE_UNREACHABLE if no MySQL server answers, or USAGE for the
 *   CA file; otherwise what the socket, the driver or the server says
 */
export async function logIn(config: DatabaseConfig, timeoutSeconds: number): Promise<LoggedIn> {
  const options = await driverOptions(config);
  const serverKey = config.serverKeyFile && (await readPem(config.serverKeyFile, 'public key'));
  const endpoint = endpointOf(config);
  const place = describeEndpoint(endpoint);
  // The code that waits for the socket handles its errors. In between nothing waits: an error must not be unhandled.
  const socket = dial(endpoint, timeoutSeconds).on('error', () => {});
  let deadline: NodeJS.Timeout | undefined;
  let sizeCheck: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const expire = () => reject(noAnswer(place, timeoutSeconds, socket.connecting));
    deadline = setTimeout(expire, timeoutSeconds * 1000);
    sizeCheck = setInterval(() => {
      if (socket.bytesRead > MAX_LOGIN_BYTES) reject(endlessAnswer(place));
    }, CHECK_EVERY_MS);
  });
  try {
    return await Promise.race([
      openConnection(socket, {...options, ...endpoint}, {place, serverKey}),
      expiry,
    ]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(deadline);
    clearInterval(sizeCheck);
  }
}

/** The driver is loaded while the server prepares its greeting. */
async function openConnection(
  socket: Socket,
  options: ConnectionOptions,
  {place, serverKey}: {place: string; serverKey: string | undefined},
): Promise<LoggedIn> {
  const [server, {createConnection, authPlugins}] = await Promise.all([
    readGreeting(socket, place),
    import('mysql2'),
  ]);
  if (socket.errored) throw socket.errored;
  const connection = createConnection({
    ...options,
    stream: socket,
    authPlugins: {
      ...carefulPlugins(authPlugins, {isLocal: isLocal(socket, options), serverKey}),
      // Debian's root logs in through the socket without a password: the server asks the kernel for the user.
      auth_socket: () => () => Buffer.alloc(0),
    },
  });
  await new Promise<void>((resolve, reject) => {
    // This listener is kept: a connection that dies while idle emits an event, and the next statement fails.
    connection.on('error', reject);
    connection.query(SET_SESSION, (error) => (error ? reject(error) : resolve()));
  });
  // A server that greets with a refusal does not get this far.
  return {socket, connection, server: server!};
}

async function driverOptions({user, password, database, tls}: DatabaseConfig): Promise<ConnectionOptions> {
  return {
    user,
    password: password.reveal(),
    database,
    ssl: await tlsOptions(tls),
    // No statement is prepared; the default reserves memory for sixteen thousand.
    maxPreparedStatements: 1,
    // The deadline of the login covers this.
    connectTimeout: 0,
    // A matched row that is not modified does not count as changed, and no server may request files of this host.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    charset: 'UTF8MB4_BIN',
    connectAttributes: {program_name: 'atomctl'},
    // Dates and JSON as stored text; numbers as numbers, or as text if they are too large to be exact.
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    decimalNumbers: true,
    // No code is generated to read the rows: most answers are short (MANY_ROWS are the others).
    disableEval: true,
    stringifyObjects: true,
  };
}

/** A socket file or the loopback interface: nobody is in between. */
function isLocal({remoteAddress = ''}: Socket, {socketPath}: ConnectionOptions): boolean {
  return socketPath !== undefined || /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
}

/** In the driver's message if it was not to send a password. */
export const PASSWORD_KEPT = 'the password was not sent';

/**
 * The plugins that send the password itself. Without TLS they encrypt it with a key that the server sends, which may be
 * anybody's: over a network only a key that was given is used.
 */
function carefulPlugins(
  {caching_sha2_password, sha256_password}: typeof authPlugins,
  {isLocal, serverKey}: {isLocal: boolean; serverKey: string | undefined},
) {
  const options = {
    ...(serverKey === undefined ? {} : {serverPublicKey: serverKey}),
    onServerPublicKey() {
      if (!isLocal) throw new Error(PASSWORD_KEPT);
    },
  };
  return {
    caching_sha2_password: caching_sha2_password(options),
    sha256_password: sha256_password(options as never),
  };
}

function noAnswer(place: string, timeoutSeconds: number, connecting: boolean): AtomctlError {
  const message = connecting
    ? `The MySQL server at ${place} could not be reached within ${timeoutSeconds} s.`
    : `The server at ${place} accepted the connection, but did not complete the login within ${timeoutSeconds} s.`;
  return new AtomctlError('DATABASE_TIMEOUT', message, {
    hint: 'Check that MySQL runs there and that no firewall blocks it, or increase --timeout.',
  });
}

function endlessAnswer(place: string): AtomctlError {
  return new AtomctlError(
    'DATABASE_UNREACHABLE',
    `The server at ${place} sent too much data during the login; it is probably not a MySQL server.`,
    {hint: 'Check the host and the port of the database.'},
  );
}

/** How long a statement waits for the lock of another session, in seconds, before it fails and is tried again. */
const LOCK_WAIT_SECONDS = 3;

/**
 * The settings of every session, whatever the server's own are, in one statement and so in one round trip.
 *
 * Isolation is REPEATABLE READ, the servers' default: READ COMMITTED cannot write if the binary log is
 * statement-based. The name of the variable differs, and each server runs only the comment that is meant for it.
 *
 * MySQL would hash AtoM's few users in memory and then sort the whole history with its notes before it sends the
 * first row. Without that optimisation it looks each user up by its key, reads jobs in their order and sends as it
 * reads.
 */
const SETTINGS = [
  // Literals compare by code point, and any character can be stored and read back.
  'NAMES utf8mb4 COLLATE utf8mb4_bin',
  // Backslash escapes work (values are quoted with them), `"` quotes text, and no value is silently cut on writing.
  "sql_mode = 'STRICT_ALL_TABLES'",
  "time_zone = '+00:00'",
  "lc_time_names = 'en_US'",
  'default_week_format = 0',
  'div_precision_increment = 4',
  // MariaDB's ceiling; more than AtoM's notes on one job can have.
  `group_concat_max_len = ${2 ** 30}`,
  'sql_select_limit = 18446744073709551615',
  'sql_big_selects = 1',
  'sql_auto_is_null = 0',
  'sql_safe_updates = 0',
  // Deleting an object must delete its job and notes too, and a single statement must be committed.
  'foreign_key_checks = 1',
  'unique_checks = 1',
  'autocommit = 1',
  `innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  `lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  // A day for a slow reader of an export, eight hours at a prompt or under --watch.
  'net_write_timeout = 86400',
  'wait_timeout = 28800',
];

export const SET_SESSION = `SET ${SETTINGS.join(', ')}
  /*!80000 , transaction_isolation = 'REPEATABLE-READ', optimizer_switch = 'block_nested_loop=off' */
  /*M!100500 , tx_isolation = 'REPEATABLE-READ' */`;

/**
 * The driver's TLS options for a mode; undefined if the connection is not encrypted. Without a CA file the
 * certificate is checked against the authorities that Node knows.
 * @throws AtomctlError USAGE if a PEM file cannot be read
 */
export async function tlsOptions(tls: DatabaseConfig['tls']): Promise<SslOptions | undefined> {
  const {mode, caFile, certFile, keyFile} = tls;
  if (mode === 'off') return undefined;
  return {
    ca: caFile === null ? undefined : await readPem(caFile, 'CA'),
    cert: certFile && (await readPem(certFile, 'certificate')),
    key: keyFile && (await readPem(keyFile, 'key')),
    rejectUnauthorized: mode !== 'required',
    verifyIdentity: mode === 'verify-identity',
  };
}

/** All authorities that a system knows take more than 200 KiB. */
const MOST_PEM_BYTES = 4 * 1024 * 1024;

async function readPem(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, MOST_PEM_BYTES);
  } catch (error) {
    throw cannotBeRead(
      `The ${what} file "${file}" for the database`,
      error as NodeJS.ErrnoException,
      'Give the path of a PEM file.',
    );
  }
}
