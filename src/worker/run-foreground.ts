import {spawn} from 'node:child_process';
import {constants} from 'node:os';
import {AtomctlError} from '../errors.ts';
import {PHP_OPTIONS} from './unit-file.ts';

/** The signals that end a worker; it ends at once, with 0, and Gearman hands out its job again. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/** Those that a terminal itself sends to every foreground process. */
const FROM_KEYBOARD = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

export interface RunOptions {
  root: string;
  /** The PHP interpreter: a path, or a name in PATH. */
  php: string;
  /** The arguments of jobs:worker, from `workerArguments`. */
  workerArguments: readonly string[];
  onTerminal: boolean;
  /** Where the signals to this process arrive: Node's `process`. */
  signals: Pick<NodeJS.Process, 'on' | 'removeListener'>;
}

/**
 * Runs the worker with this process's streams until it ends, and passes signals on to it.
 * @returns its exit status; 128 plus the signal's number if a signal ended it
 * @throws AtomctlError FAILED if PHP cannot be run
 */
export function runForeground({
  root,
  php,
  workerArguments,
  onTerminal,
  signals,
}: RunOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(php, [...PHP_OPTIONS, 'symfony', 'jobs:worker', ...workerArguments], {
      cwd: root,
      stdio: 'inherit',
    });
    // Caught on a terminal too: atomctl outlives the worker, to return its exit status.
    const passOn = (signal: NodeJS.Signals) => {
      if (!onTerminal || !FROM_KEYBOARD.has(signal)) child.kill(signal);
    };
    const letGo = () => {
      for (const signal of SIGNALS) signals.removeListener(signal, passOn);
    };
    for (const signal of SIGNALS) signals.on(signal, passOn);
    child.once('error', (cause) => {
      letGo();
      reject(
        new AtomctlError('FAILED', `${php} could not be run in ${root}.`, {
          hint: 'Name PHP with --php PATH.',
          cause,
        }),
      );
    });
    child.once('exit', (status, signal) => {
      letGo();
      resolve(status ?? 128 + constants.signals[signal!]);
    });
  });
}
