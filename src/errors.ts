import {asOwner, isPermissionDenied, systemReason} from './system-failure.ts';

/**
 * The one error type that atomctl throws on purpose, and the table that gives every exit status.
 *
 * An AtomctlError never prints and never exits: the base command translates it once, for text and for JSON.
 */

/** Exit statuses that scripts may rely on; 0 is success. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  noSuchJob: 4,
  refused: 5,
  timeOver: 124,
  commandNotRun: 126,
  commandNotFound: 127,
  interrupted: 130,
} as const;

/** Error code (stable, shown under `--json`) to exit status. */
export const EXIT_BY_CODE = {
  USAGE: EXIT.usage,
  NO_SITE: EXIT.usage,
  NEEDS_CONFIRMATION: EXIT.usage,
  OUTPUT_EXISTS: EXIT.usage,
  DATABASE_UNREACHABLE: EXIT.unreachable,
  DATABASE_LOGIN_REFUSED: EXIT.unreachable,
  DATABASE_UNKNOWN: EXIT.unreachable,
  DATABASE_TIMEOUT: EXIT.unreachable,
  DATABASE_LOST: EXIT.unreachable,
  COMMIT_UNKNOWN: EXIT.unreachable,
  DATABASE_PRIVILEGE: EXIT.failed,
  DATABASE_NOT_ATOM: EXIT.failed,
  DATABASE_TOO_OLD: EXIT.failed,
  DATABASE_BUSY: EXIT.failed,
  DATABASE_ERROR: EXIT.failed,
  GEARMAN_UNREACHABLE: EXIT.unreachable,
  GEARMAN_TIMEOUT: EXIT.unreachable,
  GEARMAN_PROTOCOL: EXIT.unreachable,
  SYSTEMD_UNAVAILABLE: EXIT.unreachable,
  SYSTEMD_REFUSED: EXIT.failed,
  NO_SUCH_UNIT: EXIT.failed,
  NO_SUCH_JOB: EXIT.noSuchJob,
  DECLINED: EXIT.refused,
  REFUSED: EXIT.refused,
  LOCKED: EXIT.refused,
  OUTPUT_FAILED: EXIT.failed,
  FAILED: EXIT.failed,
  TIME_OVER: EXIT.timeOver,
  COMMAND_NOT_RUN: EXIT.commandNotRun,
  COMMAND_NOT_FOUND: EXIT.commandNotFound,
  INTERRUPTED: EXIT.interrupted,
  INTERNAL: EXIT.failed,
} as const;

export type ErrorCode = keyof typeof EXIT_BY_CODE;

export interface AtomctlErrorOptions {
  /** What the user can do next: a sentence or a command. */
  hint?: string;
  /** The lower error; shown only with DEBUG, never printed otherwise. */
  cause?: unknown;
}

/**
 * An expected failure. `message` is one sentence that says what happened and with what; `hint` what to do next.
 * Neither ever holds a password or SQL.
 */
export class AtomctlError extends Error {
  override readonly name = 'AtomctlError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: AtomctlErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.code = code;
    this.hint = options.hint;
  }

  /** The process exit status that belongs to this error's code. */
  get exitStatus(): number {
    return EXIT_BY_CODE[this.code];
  }
}

/** A value the user gave is wrong: names the value, its origin, and what is right. */
export function usageError(message: string, hint?: string): AtomctlError {
  return new AtomctlError('USAGE', message, {hint});
}

/**
 * The usage error for a file or directory that cannot be read; an AtomctlError passes unchanged.
 * @param what names it and its origin
 * @param hint a sentence; if permission is denied, running as another user is proposed too
 */
export function cannotBeRead(what: string, cause: NodeJS.ErrnoException, hint?: string): AtomctlError {
  if (cause instanceof AtomctlError) return cause;
  const asUser = `${hint === undefined ? 'Run' : `${hint} Or run`} as a user who may read it: ${asOwner(cause.path)}`;
  return new AtomctlError('USAGE', `${what} cannot be read: ${systemReason(cause)}.`, {
    hint: isPermissionDenied(cause) ? asUser : hint,
    cause,
  });
}
