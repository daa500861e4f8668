import {type ChildProcess, type StdioOptions, spawn} from 'node:child_process';
import {constants} from 'node:os';
import type {Readable} from 'node:stream';
import {AtomctlError} from '../errors.ts';
import {coverInherited} from '../files/inherited-descriptors.ts';
import {PHP_OPTIONS} from './unit-file.ts';

/** The signals that end a worker; it ends at once, with 0, and Gearman hands out its job again. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/** Those that a terminal itself sends to every foreground process. */
const FROM_KEYBOARD = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

/** Another user, as whom root runs a worker. */
export interface OtherUser {
  /** The command before PHP that becomes that user. */
  command: readonly string[];
  /** The worker's whole environment. */
  env: Readonly<Record<string, string | undefined>>;
  /** The open AtoM root that was checked: the worker starts in it, even if its name means another one by then. */
  directory: number;
  /** Makes what the worker prints harmless on a terminal. */
  sanitize(text: string): string;
}

export interface RunOptions {
  root: string;
  /** The PHP interpreter: a path, or a name in PATH. */
  php: string;
  /** The arguments of jobs:worker, from `workerArguments`. */
  workerArguments: readonly string[];
  /** null: as the caller. */
  user: OtherUser | null;
  /** The caller's streams. */
  io: {
    stdin: {isTTY?: boolean};
    stdout: NodeJS.WriteStream;
    stderr: NodeJS.WriteStream;
  };
  /** Where the signals to this process arrive: Node's `process`. */
  signals: Pick<NodeJS.Process, 'on' | 'removeListener'>;
}

/** The exit statuses of setpriv if what follows it cannot be run. */
const NOT_RUN: readonly (number | null)[] = [126, 127];

/**
 * Runs the worker until it ends, with this process's streams, and passes signals on to it. Another user's worker gets
 * a session of its own, no input and no terminal: who has a terminal open could type into it.
 * @returns its exit status; 128 plus the signal's number if a signal ended it
 * @throws AtomctlError FAILED if PHP cannot be run
 */
export function runForeground(options: RunOptions): Promise<number> {
  const {root, php, user, io, signals} = options;
  return new Promise((resolve, reject) => {
    const sharesTerminal = user === null && io.stdin.isTTY === true;
    // Caught on a terminal too: atomctl outlives the worker, to return its exit status.
    const passOn = (signal: NodeJS.Signals) => {
      if (!sharesTerminal || !FROM_KEYBOARD.has(signal)) child.kill(signal);
    };
    const letGo = () => {
      for (const signal of SIGNALS) signals.removeListener(signal, passOn);
    };
    const fail = (cause?: Error) => {
      letGo();
      reject(
        new AtomctlError('FAILED', `${php} could not be run in ${root}.`, {
          hint:
            user === null
              ? 'Give the path of PHP with --php PATH.'
              : 'Give the path of PHP with --php PATH, and install util-linux.',
          cause,
        }),
      );
    };
    // First: a signal right after the start would end this process alone, and leave the worker.
    for (const signal of SIGNALS) signals.on(signal, passOn);
    const child = start(options);
    child.once('error', fail);
    child.once('close', (status, signal) => {
      if (user !== null && NOT_RUN.includes(status)) return fail();
      letGo();
      resolve(status ?? 128 + constants.signals[signal!]);
    });
  });
}

function start({root, php, workerArguments, user, io}: RunOptions): ChildProcess {
  const [command, ...args] = [
    ...(user?.command ?? []),
    php,
    ...PHP_OPTIONS,
    'symfony',
    'jobs:worker',
    ...workerArguments,
  ];
  if (user === null) return spawn(command!, args, {cwd: root, stdio: 'inherit'});
  const {stdout, stderr} = io;
  const outputs = [stdout, stderr].map((stream) => (stream.isTTY ? 'pipe' : 'inherit'));
  const child = spawn(command!, args, {
    cwd: `/proc/self/fd/${user.directory}`,
    env: {...user.env},
    detached: true,
    stdio: ['ignore', ...outputs, ...coverInherited()] as StdioOptions,
  });
  const show = (from: Readable | null, to: NodeJS.WriteStream) =>
    from?.setEncoding('utf8').on('data', (text: string) => to.write(user.sanitize(text)));
  show(child.stdout, stdout);
  show(child.stderr, stderr);
  return child;
}
