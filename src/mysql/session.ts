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

/** Read before they are asked for. A row may be a whole log of 64 KiB. */
const ROWS_AHEAD = 100;

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
   * The rows of one statement as arrays, as many at a time as have come, and read no faster than they are taken.
   * Stopping early leaves the rest unread and the session good for nothing but its end.
   */
  async *rows(sql: string, values: readonly SqlValue[] = []): AsyncGenerator<RowBatch> {
    const query = this.#connection.query({sql, values: [...values], rowsAsArray: true});
    const rows = query.stream({highWaterMark: ROWS_AHEAD});
    // The driver tells the connection of its loss, and leaves a statement that streams waiting for ever.
    this.#connection.once('error', (error) => rows.destroy(error));
    // Rows that wait for their reader are no silence of the server.
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

  /** Hands each row of one statement, as an array, to `visit` as it arrives. What `visit` throws ends the session. */
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
        // Before the statement is sent: a connection that is gone says so at once, and in no other way.
        this.#connection.on('error', fail);
        const query = this.#connection.query({sql, values: [...values], rowsAsArray: true});
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

/**
 * Looks every `milliseconds` whether a reply makes progress, and calls `check` where it made none. It measures
 * silence and not duration: a statement may run for an hour as long as `check` finds the server alive.
 * @param progress any value that differs once something has arrived
 * @returns ends the watch
 */
export function watchSilence(
  milliseconds: number,
  progress: () => unknown,
  check: () => Promise<void>,
): () => void {
  let watching = true;
  let seen = progress();
  let timer = setTimeout(look, milliseconds);
  async function look(): Promise<void> {
    if (progress() === seen) await check();
    seen = progress();
    if (watching) timer = setTimeout(look, milliseconds);
  }
  return () => {
    watching = false;
    clearTimeout(timer);
  };
}
