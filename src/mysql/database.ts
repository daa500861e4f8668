import type {Secret} from '../secret.ts';

/** A row as the driver returns it: dates and times as stored text, never converted. */
export type Row = Record<string, unknown>;
export type SqlValue = string | number | bigint | null | readonly (string | number)[];

/**
 * A connection to MySQL or MariaDB, and everything that the rest of atomctl knows about them.
 *
 * Every method throws AtomctlError: DATABASE_LOST (the connection broke), DATABASE_TIMEOUT, DATABASE_PRIVILEGE
 * (names the privilege and table), DATABASE_BUSY (deadlock or lock wait, after bounded retries), DATABASE_ERROR.
 * Placeholders are `?`; an array value expands to the inside of a list in parentheses (`IN (?)`).
 */
export interface Queryable {
  query<T = Row>(sql: string, values?: readonly SqlValue[]): Promise<T[]>;
  /** Number of rows that the statement changed. */
  execute(sql: string, values?: readonly SqlValue[]): Promise<number>;
}

export interface Database extends Queryable {
  readonly server: ServerInfo;
  /** Rows as arrays, in order, no faster than they are read; stops the statement when the consumer stops. */
  stream(sql: string, values?: readonly SqlValue[]): AsyncIterable<readonly unknown[]>;
  /**
   * The same, as many rows at a time as have arrived: a promise for each row is the largest cost of a long stream.
   */
  batches(sql: string, values?: readonly SqlValue[]): AsyncIterable<readonly (readonly unknown[])[]>;
  /**
   * Passes rows as arrays to `visit` as fast as they arrive, for a caller that never waits between two rows. Hundreds
   * of thousands take half the time of `stream`, which makes a promise for each.
   */
  visit(sql: string, values: readonly SqlValue[], visit: (row: readonly unknown[]) => void): Promise<void>;
  /**
   * Runs `work` in one transaction; retried a few times on deadlock and lock wait timeout, rolled back if it throws.
   * @throws AtomctlError COMMIT_UNKNOWN if the answer to COMMIT was lost: the work was saved, or it was not
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Another connection with the same login, for two statements at a time. The caller closes it. */
  beside(): Promise<Database>;
  /** Replaces a connection that broke. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

export interface ServerInfo {
  flavour: 'mysql' | 'mariadb';
  /** As `SELECT VERSION()` returns it. */
  version: string;
}

export type TlsMode = 'off' | 'required' | 'verify-ca' | 'verify-identity';

export interface DatabaseConfig {
  host: string | null;
  port: number;
  socketPath: string | null;
  user: string;
  password: Secret;
  database: string;
  tls: {
    mode: TlsMode;
    caFile: string | null;
    /** The client's own certificate and key, for accounts that need one: both or none. */
    certFile?: string;
    keyFile?: string;
  };
  /** The server's public RSA key: with it a password can be sent to a distant server without TLS. */
  serverKeyFile?: string;
}
