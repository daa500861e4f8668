import {usageError} from '../errors.ts';

export type FlagValues = Readonly<Record<string, unknown>>;

/**
 * Whether a command changes something on the site, its queue or its workers: always, never, or with some flags. What it
 * writes to a file of the caller does not count.
 */
export type Changes = boolean | ((flags: FlagValues) => boolean);

/** With --dry-run a command changes nothing. */
export const unlessDryRun = (flags: FlagValues) => flags['dry-run'] !== true;

/** Only with this flag a command changes something. */
export const withFlag = (name: string) => (flags: FlagValues) => flags[name] === true;

/** A command that says nothing about it counts as one that changes. */
export function makesChanges(changes: Changes | undefined, flags: FlagValues): boolean {
  return typeof changes === 'function' ? changes(flags) : (changes ?? true);
}

/** The usage error for a change where only reading is allowed. @param origin what forbids it */
export function readOnlyError(command: string, origin: string) {
  return usageError(`${command} changes data, but ${origin} allows only reading.`, 'Nothing was changed.');
}
