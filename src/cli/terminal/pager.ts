import {spawn} from 'node:child_process';
import type {IO} from './io.ts';

/** What less does: end if all fits, show colours, leave the text on the screen. */
const LESS = 'FRX';

/**
 * Writes a text to the terminal, through a pager if it is longer than the screen, and returns when the reader has left
 * it. Without a pager on the machine, the text is printed. less runs without its commands that start a program or
 * write a file: whoever may run atomctl with sudo may not run everything.
 */
export async function page(
  text: string,
  io: Pick<IO, 'stdin' | 'stdout' | 'env' | 'signals'>,
): Promise<void> {
  const [program, ...args] = pagerOf(io.env);
  const fits = text.split('\n').length < (io.stdout.rows ?? 24);
  if (fits || program === undefined || !io.stdin.isTTY || !(await paged(text, program, args, io))) {
    io.stdout.write(text);
  }
}

/** Under sudo the caller's variables do not choose a program that runs as root. */
function pagerOf(env: NodeJS.ProcessEnv): string[] {
  const wanted = env.SUDO_UID === undefined ? (env.ATOMCTL_PAGER ?? env.PAGER) : undefined;
  const words = (wanted ?? 'less').split(' ').filter((word) => word !== '');
  return words[0] === 'cat' ? [] : words;
}

/** Resolves to false if the pager could not be started. Ctrl-C is for the pager. */
function paged(
  text: string,
  program: string,
  args: readonly string[],
  {env, signals}: Pick<IO, 'env' | 'signals'>,
): Promise<boolean> {
  const leaveItToThePager = () => {};
  signals.on('SIGINT', leaveItToThePager);
  return new Promise<boolean>((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: {...env, LESS: env.LESS ?? LESS, LESSSECURE: '1'},
    });
    child.on('error', () => resolve(false));
    child.on('close', () => resolve(true));
    // The reader may leave the pager before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  }).finally(() => signals.removeListener('SIGINT', leaveItToThePager));
}
