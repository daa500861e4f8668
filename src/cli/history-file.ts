import {usageError} from '../errors.ts';
import type {WholeFileOptions} from '../files/write-whole-file.ts';
import type {Context} from './context.ts';

/** A file with the history of jobs, which names users: only its owner may read it. */
export function historyFile(path: string, force: boolean): WholeFileOptions {
  return {path, force, mode: 0o600, uid: process.geteuid!()};
}

/** The file that a pattern names. */
export interface FileName {
  path: string;
  /** The name was made from the time, so that each run means a file of its own: see namedFile. */
  isDated: boolean;
}

/**
 * The name of a file, with strftime's sequences filled in on the site's wall clock.
 * @param origin of the name, for the error
 * @throws AtomctlError USAGE for a sequence that is not known
 */
export async function fileName(context: Context, pattern: string, origin: string): Promise<FileName> {
  const [date, clock] = (await context.time()).toWall(context.now()).split(' ') as [string, string];
  const [year, month, day] = date.split('-') as [string, string, string];
  const [hour, minute, second] = clock.split(':') as [string, string, string];
  const sequences: Record<string, string> = {
    ...{Y: year, y: year.slice(2), m: month, d: day, H: hour, M: minute, S: second},
    ...{F: date, T: clock, '%': '%'},
  };
  const path = pattern.replace(/%(.?)/g, (sequence, letter: string) => {
    const text = sequences[letter];
    if (text !== undefined) return text;
    throw usageError(
      `Unknown sequence "${sequence}" in ${origin}.`,
      `Known sequences: ${Object.keys(sequences)
        .map((known) => `%${known}`)
        .join(' ')}.`,
    );
  });
  return {path, isDated: /%[^%]/.test(pattern.replaceAll('%%', ''))};
}

/** The file that a name means. A dated name that is taken gets a number, unless it may be replaced: `jobs-2026-11-26-2.csv`. */
export function namedFile({path, isDated}: FileName, force: boolean): WholeFileOptions {
  return {...historyFile(path, force), numbered: isDated};
}
