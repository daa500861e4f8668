import type {Socket} from 'node:net';
import type {Connection, RowDataPacket} from 'mysql2';
import {AtomctlError} from '../errors.ts';
import type {DatabaseConfig, ServerInfo, SqlValue} from './database.ts';
import {describeEndpoint, dial, endpointOf} from './endpoint.ts';
import {readGreeting} from './greeting.ts';
import {isServerError} from './server-error.ts';
import {SET_SESSION} from './session-settings.ts';
import {watchSilence} from './silence.ts';
import {tlsOptions} from './tls.ts';

/** What the server answers to a statement: rows, or how many it changed. */
export type Reply = Record<string, unknown>[] | {affectedRows: number};

/**
 * One logged-in connection with atomctl's session settings. Its errors are the driver's or the socket's own;
 * failure.ts translates them.
 */
export class Session {
  readonly server: ServerInfo;
  readonly #config: DatabaseConfig;
  readonly #timeoutSeconds: number;
  readonly #socket: Socket;
  readonly #connection: Connection;
  #pending = 0;
  #check: Promise<void> | undefined;

  private constructor(
    config: DatabaseConfig,
    timeoutSeconds: number,
    opened: {socket: Socket; connection: Connection; server: ServerInfo},
  ) {
    this.#config = config;
    this.#timeoutSeconds = timeoutSeconds;
    this.#socket = opened.socket;
    this.#connection = opened.connection;
    this.server = opened.server;
  }

  /**
   * Connects, logs in and sets the session, all within `timeoutSeconds`. The driver is loaded while the server
   * makes up its greeting.
   */
  static async open(config: DatabaseConfig, timeoutSeconds: number): Promise<Session> {
    const ssl = await tlsOptions(config.tls);
    const endpoint = endpointOf(config);
    const place = describeEndpoint(endpoint);
    const socket = dial(endpoint, timeoutSeconds).on('error', () => {});
    const deadline = setTimeout(
      () => socket.destroy(noAnswer(place, timeoutSeconds, socket.connecting)),
      timeoutSeconds * 1000,
    );
    try {
      const [server, {createConnection}] = await Promise.all([readGreeting(socket, place), import('mysql2')]);
      if (socket.errored) throw socket.errored;
      const connection = createConnection({
        ...endpoint,
        stream: socket,
        // The deadline above covers what this would.
        connectTimeout: 0,
        user: config.user,
        password: config.password,
        database: config.database,
        ssl,
        // As the server's own clients: a matched row that stays as it was is not a changed one. Files stay here.
        flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
        charset: 'UTF8MB4_BIN',
        connectAttributes: {program_name: 'atomctl'},
        // Debian's root logs in by the socket alone; the server asks the kernel who we are.
        authPlugins: {auth_socket: () => () => Buffer.alloc(0)},
        dateStrings: true,
        jsonStrings: true,
        supportBigNumbers: true,
        decimalNumbers: true,
        stringifyObjects: true,
      });
      await new Promise<void>((resolve, reject) => {
        // It stays: a connection that dies while idle says so by an event, and the next statement fails.
        connection.on('error', reject);
        connection.query(SET_SESSION, (error) => (error ? reject(error) : resolve()));
      });
      return new Session(config, timeoutSeconds, {socket, connection, server: server!});
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Sends one statement, its values quoted into it, and waits for the whole reply. */
  async run(sql: string, values: readonly SqlValue[] = []): Promise<Reply> {
    const endWatch = this.#watch(() => this.#socket.bytesRead);
    this.#pending++;
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.#connection.query<RowDataPacket[]>(sql, [...values], (error, reply) =>
          error ? reject(error) : resolve(reply),
        );
      });
    } finally {
      this.#pending--;
      endWatch();
    }
  }

  /**
   * The rows of one statement as arrays, read no faster than they are taken. Stopping early leaves the rest
   * unread and the session good for nothing but its end.
   */
  async *rows(sql: string, values: readonly SqlValue[] = []): AsyncGenerator<readonly unknown[]> {
    const rows = this.#connection.query({sql, values: [...values], rowsAsArray: true}).stream();
    // The driver tells the connection of its loss, and leaves a statement that streams waiting for ever.
    this.#connection.once('error', (error) => rows.destroy(error));
    // Rows that wait for their reader are no silence of the server.
    const endWatch = this.#watch(() =>
      rows.readableLength > 0 ? Symbol('waiting') : this.#socket.bytesRead,
    );
    this.#pending++;
    try {
      yield* rows;
      this.#pending--;
    } finally {
      endWatch();
    }
  }

  /** Takes leave of the server, or drops a statement that still runs. The process need not wait for either. */
  end(): void {
    if (this.#pending > 0) this.#socket.destroy();
    else this.#connection.end();
    this.#socket.unref();
  }

  #watch(progress: () => unknown): () => void {
    return watchSilence(this.#timeoutSeconds * 1000, progress, () => {
      this.#check ??= this.#endUnlessServerLives().finally(() => {
        this.#check = undefined;
      });
      return this.#check;
    });
  }

  /** A server that can still greet and log in is at work; one that cannot ends this session. */
  async #endUnlessServerLives(): Promise<void> {
    try {
      const other = await Session.open(this.#config, this.#timeoutSeconds);
      other.end();
    } catch (error) {
      if (isServerError(error)) return;
      const place = describeEndpoint(endpointOf(this.#config));
      this.#socket.destroy(
        new AtomctlError('DATABASE_TIMEOUT', `The MySQL server at ${place} fell silent during a statement.`, {
          hint: 'Look at the server and the network, and whether the last change was made, before running it again.',
        }),
      );
    }
  }
}

function noAnswer(place: string, timeoutSeconds: number, connecting: boolean): AtomctlError {
  const message = connecting
    ? `The MySQL server at ${place} could not be reached within ${timeoutSeconds} s.`
    : `The server at ${place} took the connection and did not complete the login within ${timeoutSeconds} s.`;
  return new AtomctlError('DATABASE_TIMEOUT', message, {
    hint: 'Check that MySQL runs there and that no firewall is in between, or give it longer with --timeout.',
  });
}
