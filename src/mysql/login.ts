import type {Socket} from 'node:net';
import type {Connection, ConnectionOptions} from 'mysql2';
import {AtomctlError} from '../errors.ts';
import type {DatabaseConfig, ServerInfo} from './database.ts';
import {describeEndpoint, dial, endpointOf} from './endpoint.ts';
import {readGreeting} from './greeting.ts';
import {SET_SESSION} from './session-settings.ts';
import {tlsOptions} from './tls.ts';

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
    password,
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
