import {createInterface} from 'node:readline/promises';
import {AtomctlError} from '../../errors.ts';
import {widthOf} from '../../render/screen.ts';
import {wrapSentences} from '../../render/wrap.ts';
import type {IO} from './io.ts';

export interface ConfirmOptions extends Pick<IO, 'stdin' | 'stdout' | 'stderr'> {
  /** Names the site that is about to be changed: see siteLine. */
  site: () => Promise<string>;
  question: string;
  /** True if a flag has answered already. */
  assumeYes: boolean;
}

/**
 * Refuses a command that would have to ask, if stdin or stdout is not a terminal. Commands call it first, before they
 * connect to anything.
 * @throws AtomctlError NEEDS_CONFIRMATION
 */
export function requireAnswerer({
  assumeYes,
  stdin,
  stdout,
}: Pick<ConfirmOptions, 'assumeYes' | 'stdin' | 'stdout'>): void {
  if (assumeYes || (stdin.isTTY && stdout.isTTY)) return;
  throw new AtomctlError(
    'NEEDS_CONFIRMATION',
    'Confirmation required, but stdin or stdout is not a terminal.',
    {hint: 'To run without the question, give --yes (or --no-confirmation). Nothing was changed.'},
  );
}

/**
 * Asks on stderr, with the site and the host of its database. `y` or `yes` goes ahead; anything else declines.
 * @throws AtomctlError NEEDS_CONFIRMATION without a terminal, DECLINED, INTERRUPTED for Ctrl-C
 */
export async function confirm(options: ConfirmOptions): Promise<void> {
  requireAnswerer(options);
  if (options.assumeYes) return;
  const asked = wrapSentences(`${await options.site()}\n${options.question} `, widthOf(options.stderr));
  const readline = createInterface({input: options.stdin, output: options.stderr});
  const interrupted = new AbortController();
  readline.once('SIGINT', () => interrupted.abort());
  readline.once('close', () => interrupted.abort());
  let answer: string;
  try {
    answer = await readline.question(asked, {signal: interrupted.signal});
  } catch (error) {
    options.stderr.write('\n');
    throw new AtomctlError('INTERRUPTED', 'Interrupted at the question.', {
      hint: 'Nothing was changed.',
      cause: error,
    });
  } finally {
    readline.close();
  }
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new AtomctlError('DECLINED', 'Declined.', {hint: 'Nothing was changed.'});
}
