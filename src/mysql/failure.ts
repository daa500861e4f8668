import {AtomctlError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import type {DatabaseConfig} from './database.ts';
import {describeEndpoint, endpointOf} from './endpoint.ts';
import type {Explain} from './explained-failure.ts';
import {explainBrokenLogin, explainRefusedLogin} from './login-failure.ts';
import {explainRefusedStatement, lostConnection} from './statement-failure.ts';

export type Stage = 'login' | 'statement';

/** MySQL's own messages have 512 bytes at most; another server may send megabytes. */
const LONGEST_DETAIL = 2048;

/**
 * What the driver, the socket or the server threw, as an error for the user: one sentence and a hint, no SQL and
 * no password. An AtomctlError passes unchanged, and so does anything that is not a failure of the database.
 * @param account as `CURRENT_USER()` returns it, for the GRANT in a hint; null if it is not known
 */
export function translateFailure(
  error: unknown,
  stage: Stage,
  config: DatabaseConfig,
  account: string | null = null,
): unknown {
  if (!isDatabaseFailure(error)) return error;
  const [code, message, hint] = explain(
    error,
    stage,
  )({
    config,
    account,
    place: describeEndpoint(endpointOf(config)),
    // The driver has no name for the newer errors of MariaDB.
    code: error.code ?? (isServerError(error) ? String(error.errno) : 'connection closed'),
    detail: isServerError(error) ? textOf(error) : systemReason(error).slice(0, LONGEST_DETAIL),
  });
  return new AtomctlError(code, message, {hint, cause: withoutSql(error)});
}

function textOf({message}: ServerError): string {
  return message.slice(0, LONGEST_DETAIL).replace(/[\s.:]+$/, '');
}

/** An error with a code comes from Node, the driver or the server; without one, the driver sets `fatal`. */
function isDatabaseFailure(error: unknown): error is Error & {code?: string} {
  if (!(error instanceof Error) || error instanceof AtomctlError) return false;
  return 'code' in error || ('fatal' in error && error.fatal === true);
}

function explain(error: Error, stage: Stage): Explain {
  if (isServerError(error)) {
    return (stage === 'login' ? explainRefusedLogin : explainRefusedStatement)(error.errno);
  }
  return stage === 'login' ? explainBrokenLogin : lostConnection;
}

/** The driver attaches the statement with its values to its errors; not even DEBUG may show them. */
function withoutSql(error: Error & {code?: string}): Error {
  const bare = new Error(error.message);
  bare.name = error.code ?? error.name;
  if (error.stack !== undefined) bare.stack = error.stack;
  return bare;
}

/** An error packet from the server: it is alive and refuses. Node's own errors have a negative errno, or none. */
export interface ServerError extends Error {
  /** MySQL's number, the same for MariaDB: 1045, 1142, ... */
  errno: number;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'sqlState' in error && 'errno' in error && Number(error.errno) > 0;
}

/** True if the server reports that the account lacks a privilege on a table, a column, a database or the server. */
export function isPrivilegeError(error: unknown): error is ServerError {
  return isServerError(error) && [1044, 1142, 1143, 1227].includes(error.errno);
}
