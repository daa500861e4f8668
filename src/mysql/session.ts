import type {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import type {Connection, RowDataPacket} from 'mysql2';
import {AtomctlError} from '../errors.ts';
import type {DatabaseConfig, ServerInfo, SqlValue} from './database.ts';
import {describeEndpoint, endpointOf} from './endpoint.ts';
import {isServerError} from './failure.ts';
import {type LoggedIn, logIn} from './login.ts';

/** What the server answers to a statement: rows, or how many it changed. */
export type Reply = Record<string, unknown>[] | {affectedRows: number};

/** Rows as arrays; at least one. */
export type RowBatch = readonly (readonly unknown[])[];

/** Rows that are read in advance. A row may be a whole log of 64 KiB. */
const ROWS_AHEAD = 100;

/** The ids of twenty million jobs; the rows of a history are streamed. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024;
const CHECK_EVERY_MS = 50;

/** Code that the driver generates reads many rows faster; for few, generating it takes longer than it saves. */
const MANY_ROWS = {rowsAsArray: true, disableEval: false};

function* waiting(rows: Readable): Iterable<readonly unknown[]> {
  for (let row = rows.read(); row !== null; row = rows.read()) yield row;
}

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

  private constructor(config: DatabaseConfig, timeoutSeconds: number, loggedIn: LoggedIn) {
    this.#config = config;
    this.#timeoutSeconds = timeoutSeconds;
    this.#socket = loggedIn.socket;
    this.#connection = loggedIn.connection;
    this.server = loggedIn.server;
  }

  /** Connects, logs in and sets the session, all within `timeoutSeconds`. */
  static async open(config: DatabaseConfig, timeoutSeconds: number): Promise<Session> {
    return new Session(config, timeoutSeconds, await logIn(config, timeoutSeconds));
  }

  /** Sends one statement with its values quoted into it, and waits for the complete reply. */
  async run(sql: string, values: readonly SqlValue[] = []): Promise<Reply> {
    const endWatch = this.#watch(() => this.#socket.bytesRead);
    const endLimit = this.#limitReply();
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
      endLimit();
    }
  }

  /**
   * The rows of one statement as arrays, as many at a time as have arrived, and read no faster than they are taken.
   * After an early stop the rest is unread, and the session can only be ended.
   */
  async *rows(sql: string, values: readonly SqlValue[] = []): AsyncGenerator<RowBatch> {
    const query = this.#connection.query({sql, values: [...values], ...MANY_ROWS});
    const rows = query.stream({highWaterMark: ROWS_AHEAD});
    // The driver reports a lost connection to the connection only; a statement that streams would never end.
    this.#connection.once('error', (error) => rows.destroy(error));
    // Rows that wait for their reader do not mean that the server has stalled.
    const endWatch = this.#watch(() =>
      rows.readableLength > 0 ? Symbol('waiting') : this.#socket.bytesRead,
    );
    this.#pending++;
    try {
      for await (const row of rows) yield [row, ...waiting(rows)];
      this.#pending--;
    } finally {
      endWatch();
    }
  }

  /**
   * Passes each row of one statement, as an array, to `visit` as it arrives. An error from `visit` ends the session.
   */
  async visit(
    sql: string,
    values: readonly SqlValue[],
    visit: (row: readonly unknown[]) => void,
  ): Promise<void> {
    const endWatch = this.#watch(() => this.#socket.bytesRead);
    this.#pending++;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (error: unknown) => {
          this.#connection.off('error', fail);
          reject(error);
        };
        // Before the statement is sent: a connection that is gone reports it at once, and only with this event.
        this.#connection.on('error', fail);
        const query = this.#connection.query({sql, values: [...values], ...MANY_ROWS});
        query.on('error', fail).on('end', () => {
          this.#connection.off('error', fail);
          resolve();
        });
        query.on('result', (row) => {
          try {
            visit(row as unknown as readonly unknown[]);
          } catch (error) {
            this.#socket.destroy();
            fail(error);
          }
        });
      });
    } finally {
      this.#pending--;
      endWatch();
    }
  }

  /** Ends the session, or drops a statement that still runs. The process does not wait for either. */
  end(): void {
    if (this.#pending > 0) this.#socket.destroy();
    else this.#connection.end();
    this.#socket.unref();
  }

  #watch(progress: () => unknown): () => void {
    return watchForStall(this.#timeoutSeconds * 1000, progress, () => {
      this.#check ??= this.#endUnlessServerLives().finally(() => {
        this.#check = undefined;
      });
      return this.#check;
    });
  }

  /** Ends the session if the reply that is now awaited is larger than any could be: all of it is kept in memory. */
  #limitReply(): () => void {
    const most = this.#socket.bytesRead + MAX_REPLY_BYTES;
    const check = setInterval(() => {
      if (this.#socket.bytesRead <= most) return;
      const place = describeEndpoint(endpointOf(this.#config));
      this.#socket.destroy(
        new AtomctlError(
          'DATABASE_LOST',
          `The MySQL server at ${place} answered a statement with more than ${MAX_REPLY_BYTES / 1024 / 1024} MiB.`,
          {
            hint: "Check the host and the port of the database, and if AtoM's tables are correct.",
          },
        ),
      );
    }, CHECK_EVERY_MS);
    return () => clearInterval(check);
  }

  /** A server that still accepts a login is working; otherwise this session is ended. */
  async #endUnlessServerLives(): Promise<void> {
    try {
      const other = await Session.open(this.#config, this.#timeoutSeconds);
      other.end();
    } catch (error) {
      if (isServerError(error)) return;
      const place = describeEndpoint(endpointOf(this.#config));
      this.#socket.destroy(
        new AtomctlError(
          'DATABASE_TIMEOUT',
          `The MySQL server at ${place} stopped answering during a statement.`,
          {
            hint: 'Check the server, the network, and if the last change was made, before you run the command again.',
          },
        ),
      );
    }
  }
}

/**
 * Every `milliseconds`, calls `check` if a reply made no progress. The duration does not count: a statement may run
 * for an hour as long as `check` finds the server alive.
 * @param progress any value that differs once something has arrived
 * @returns ends the watch
 */
export function watchForStall(
  milliseconds: number,
  progress: () => unknown,
  check: () => Promise<void>,
): () => void {
  let watching = true;
  let seen = progress();
  let timer = setTimeout(inspect, milliseconds);
  async function inspect(): Promise<void> {
    if (progress() === seen) await check();
    seen = progress();
    if (watching) timer = setTimeout(inspect, milliseconds);
  }
  return () => {
    watching = false;
    clearTimeout(timer);
  };
}
