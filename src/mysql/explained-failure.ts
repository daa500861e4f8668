import type {ErrorCode} from '../errors.ts';
import type {DatabaseConfig} from './database.ts';

/** What a failure is called, and what to do about it. */
export type Explanation = readonly [code: ErrorCode, message: string, hint: string];

/** What a verdict may name. None of it is a secret but `config.password`. */
export interface Facts {
  config: DatabaseConfig;
  /** The server, as `127.0.0.1:3306` or a socket's path. */
  place: string;
  /** The account that the server took the user for, as `CURRENT_USER()` says; null where it is not known. */
  account: string | null;
  /** Node's or the driver's code, or MySQL's name for the error. */
  code: string;
  /** The words of whoever failed, without a full stop. */
  said: string;
}

export type Explain = (facts: Facts) => Explanation;

/** Any error packet that has no verdict of its own. */
export const refusedStatement: Explain = ({said, code}) => [
  'DATABASE_ERROR',
  `The database server refused (${code}): ${said}.`,
  'Look at the log of the database server.',
];

/** A name as SQL wants it, in backticks. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
