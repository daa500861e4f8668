import type {ErrorCode} from '../errors.ts';
import type {DatabaseConfig} from './database.ts';

/** What a failure is called, and what to do about it. */
export type Explanation = readonly [code: ErrorCode, message: string, hint: string];

/** What an explanation may name. */
export interface Facts {
  config: DatabaseConfig;
  /** The server, as `127.0.0.1:3306` or a socket's path. */
  place: string;
  /** The account that the server uses for the user, as `CURRENT_USER()` returns it; null if it is not known. */
  account: string | null;
  /** Node's or the driver's code, or MySQL's name for the error: for a table of explanations, not to be shown if it is Node's. */
  code: string;
  /** What the server, the driver or Node reported, without a full stop. */
  detail: string;
}

export type Explain = (facts: Facts) => Explanation;

/** Any error packet that has no explanation of its own. */
export const refusedStatement: Explain = ({detail, code}) => [
  'DATABASE_ERROR',
  `The database server refused (${code}): ${detail}.`,
  'Check the log of the database server.',
];

/** A name for SQL, in backticks. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
