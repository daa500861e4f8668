import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, statSync} from 'node:fs';
import {constants} from 'node:os';
import {AtomctlError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import type {IO} from './terminal/io.ts';

/** Those that a terminal itself sends to every foreground process. */
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];
const SIGNALS = ['SIGTERM', 'SIGHUP', ...FROM_KEYBOARD] as const;
const STDERR = 2;

/**
 * Runs a command of the user with this process's streams until it ends, and passes signals on to it.
 * @param options.keepStdout what it prints goes to stderr: stdout is atomctl's own
 * @returns its exit status; 128 plus the signal's number if a signal ended it
 * @throws AtomctlError COMMAND_NOT_FOUND, or COMMAND_NOT_RUN if it cannot be run for another reason
 */
export function runCommand(
  [program, ...args]: readonly string[],
  {io, keepStdout}: {io: Pick<IO, 'stdin' | 'signals'>; keepStdout: boolean},
): Promise<number> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      child = spawn(program!, args, {stdio: ['inherit', keepStdout ? STDERR : 'inherit', 'inherit']});
    } catch (error) {
      // For some reasons spawn throws, and reports others by an event.
      return reject(notRun(program!, error));
    }
    const hasTerminal = io.stdin.isTTY === true;
    const passOn = (signal: NodeJS.Signals) => {
      if (!hasTerminal || !FROM_KEYBOARD.includes(signal)) child.kill(signal);
    };
    for (const signal of SIGNALS) io.signals.on(signal, passOn);
    const letGo = () => {
      for (const signal of SIGNALS) io.signals.removeListener(signal, passOn);
    };
    child.once('error', (cause: NodeJS.ErrnoException) => {
      letGo();
      reject(notRun(program!, cause));
    });
    child.once('close', (status, signal) => {
      letGo();
      resolve(status ?? 128 + constants.signals[signal!]);
    });
  });
}

function notRun(program: string, cause: unknown): AtomctlError {
  const isFound = existsSync(program);
  const isDirectory = isFound && statSync(program).isDirectory();
  const {code} = cause as NodeJS.ErrnoException;
  const isMissing = !isFound && (code === 'ENOENT' || code === 'ENOTDIR');
  let reason = systemReason(isDirectory ? {code: 'EISDIR'} : cause);
  if (isFound && code === 'ENOENT') reason = 'the interpreter in its first line does not exist';
  return new AtomctlError(
    isMissing ? 'COMMAND_NOT_FOUND' : 'COMMAND_NOT_RUN',
    `COMMAND could not be run: ${program}: ${reason}.`,
    {hint: 'The waiting jobs are back in the queue.', cause},
  );
}
