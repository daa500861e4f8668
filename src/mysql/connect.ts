import {AtomctlError} from '../errors.ts';
import type {Database, DatabaseConfig, Queryable, Row, ServerInfo, SqlValue} from './database.ts';
import {isPrivilegeError, translateFailure} from './failure.ts';
import {retryWhileBusy} from './retry.ts';
import {type RowBatch, Session} from './session.ts';

export interface DatabaseTimeouts {
  /** Timeout for connecting with login, and for a reply that makes no progress before the server is checked. */
  timeoutSeconds: number;
}

/**
 * Connects to MySQL 8 or later or MariaDB 10.5 or later: TCP or socket, with or without TLS. A statement may take as
 * long as it needs while the server answers; a server that stops answering is noticed within twice the timeout.
 * @throws AtomctlError DATABASE_UNREACHABLE, DATABASE_TIMEOUT, DATABASE_LOGIN_REFUSED, DATABASE_UNKNOWN; USAGE
 *   if the CA file cannot be read
 */
export async function connectDatabase(config: DatabaseConfig, options: DatabaseTimeouts): Promise<Database> {
  return new MysqlDatabase(config, options, await openSession(config, options));
}

async function openSession(config: DatabaseConfig, {timeoutSeconds}: DatabaseTimeouts): Promise<Session> {
  try {
    return await Session.open(config, timeoutSeconds);
  } catch (error) {
    throw translateFailure(error, 'login', config);
  }
}

/** Errors after which the server may have carried the statement out. */
const COMMIT_LOST: ReadonlySet<string> = new Set(['DATABASE_LOST', 'DATABASE_TIMEOUT']);

class MysqlDatabase implements Database {
  readonly #config: DatabaseConfig;
  readonly #options: DatabaseTimeouts;
  #session: Session;
  /** What the work of a transaction gets: no retries, because one statement alone cannot be repeated there. */
  readonly #withinTransaction: Queryable;
  #inTransaction = false;
  #locksRowsAlone: boolean | undefined;

  constructor(config: DatabaseConfig, options: DatabaseTimeouts, session: Session) {
    this.#config = config;
    this.#options = options;
    this.#session = session;
    this.#withinTransaction = {
      query: (sql, values) => this.#rows(sql, values),
      execute: (sql, values) => this.#changes(sql, values),
    };
  }

  get server(): ServerInfo {
    return this.#session.server;
  }

  query<T = Row>(sql: string, values?: readonly SqlValue[]): Promise<T[]> {
    return retryWhileBusy(() => this.#rows<T>(sql, values));
  }

  execute(sql: string, values?: readonly SqlValue[]): Promise<number> {
    return retryWhileBusy(() => this.#changes(sql, values));
  }

  /**
   * On a connection of its own: statements can run between the rows, and an early stop closes it, so that the server
   * stops sending.
   */
  async *batches(sql: string, values?: readonly SqlValue[]): AsyncGenerator<RowBatch> {
    const session = await openSession(this.#config, this.#options);
    try {
      yield* session.rows(sql, values);
    } catch (error) {
      throw await this.#translate(error);
    } finally {
      session.end();
    }
  }

  async *stream(sql: string, values?: readonly SqlValue[]): AsyncGenerator<readonly unknown[]> {
    for await (const rows of this.batches(sql, values)) yield* rows;
  }

  async visit(
    sql: string,
    values: readonly SqlValue[],
    visit: (row: readonly unknown[]) => void,
  ): Promise<void> {
    try {
      await this.#session.visit(sql, values, visit);
    } catch (error) {
      throw await this.#translate(error);
    }
  }

  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return retryWhileBusy(() => this.#attempt(work));
  }

  beside(): Promise<Database> {
    return connectDatabase(this.#config, this.#options);
  }

  async reconnect(): Promise<void> {
    this.#session.end();
    this.#session = await openSession(this.#config, this.#options);
  }

  async close(): Promise<void> {
    this.#session.end();
  }

  async #attempt<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    // START TRANSACTION inside a transaction would silently commit the outer one.
    if (this.#inTransaction) throw new Error('transactions do not nest');
    this.#inTransaction = true;
    try {
      await this.#begin();
      const result = await work(this.#withinTransaction);
      await this.#commit();
      return result;
    } catch (error) {
      // If the connection is gone, the server has rolled back by itself.
      await this.#session.run('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  /**
   * With the server's default isolation a DELETE of a range also locks the gaps around it, and AtoM's INSERT of a job can be the
   * victim of a deadlock (run). READ COMMITTED locks rows alone; a binary log of statements does not allow it.
   */
  async #begin(): Promise<void> {
    this.#locksRowsAlone ??= !(await this.#logsStatements());
    if (this.#locksRowsAlone) await this.#run('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await this.#run('START TRANSACTION');
  }

  async #logsStatements(): Promise<boolean> {
    const rows = await this.#rows<{Value: string}>(
      "SHOW VARIABLES WHERE Variable_name = 'log_bin' AND Value = 'ON' OR Variable_name = 'binlog_format' AND Value = 'STATEMENT'",
    );
    return rows.length === 2;
  }

  async #commit(): Promise<void> {
    try {
      await this.#run('COMMIT');
    } catch (error) {
      const lost = error instanceof AtomctlError && COMMIT_LOST.has(error.code);
      throw lost
        ? new AtomctlError('COMMIT_UNKNOWN', error.message, {hint: error.hint, cause: error})
        : error;
    }
  }

  async #rows<T>(sql: string, values?: readonly SqlValue[]): Promise<T[]> {
    return (await this.#run(sql, values)) as T[];
  }

  async #changes(sql: string, values?: readonly SqlValue[]): Promise<number> {
    return ((await this.#run(sql, values)) as {affectedRows: number}).affectedRows;
  }

  async #run(sql: string, values?: readonly SqlValue[]): ReturnType<Session['run']> {
    try {
      return await this.#session.run(sql, values);
    } catch (error) {
      throw await this.#translate(error);
    }
  }

  async #translate(error: unknown): Promise<unknown> {
    return translateFailure(error, 'statement', this.#config, await this.#account(error));
  }

  /** The account that a GRANT must name: the login `atom` may be `'atom'@'%'` or `'atom'@'10.0.%'`. */
  async #account(error: unknown): Promise<string | null> {
    if (!isPrivilegeError(error)) return null;
    const reply = await this.#session.run('SELECT CURRENT_USER() AS account').catch(() => null);
    return (reply as {account: string}[] | null)?.[0]?.account ?? null;
  }
}
