import {createInterface} from 'node:readline/promises';
import {AtomctlError} from '../errors.ts';

export interface ConfirmOptions {
  question: string;
  /** True where a flag answered already. */
  assumeYes: boolean;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Whether a question can be put to a person here: both ends must be a terminal. */
export function canAsk({stdin, stdout}: Pick<ConfirmOptions, 'stdin' | 'stdout'>): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

/**
 * Refuses, before anything is looked up, to run where a question would have to be asked and nobody can answer.
 * @throws AtomctlError NEEDS_CONFIRMATION
 */
export function requireAnswerer(options: Pick<ConfirmOptions, 'assumeYes' | 'stdin' | 'stdout'>): void {
  if (options.assumeYes || canAsk(options)) return;
  throw new AtomctlError(
    'NEEDS_CONFIRMATION',
    'This asks before it changes anything, and there is no terminal to ask on.',
    {
      hint: 'Give --yes (or --no-confirmation) to go ahead without the question. Nothing was changed.',
    },
  );
}

/**
 * Asks on stderr, `y` or `yes` goes ahead, anything else is a no.
 * @throws AtomctlError NEEDS_CONFIRMATION without a terminal, DECLINED for a no, INTERRUPTED for Ctrl-C
 */
export async function confirm(options: ConfirmOptions): Promise<void> {
  requireAnswerer(options);
  if (options.assumeYes) return;
  const readline = createInterface({input: options.stdin, output: options.stderr});
  const interrupted = new AbortController();
  readline.once('SIGINT', () => interrupted.abort());
  readline.once('close', () => interrupted.abort());
  let answer: string;
  try {
    answer = await readline.question(`${options.question} `, {signal: interrupted.signal});
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
