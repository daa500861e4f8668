import {join} from 'node:path';
import {isWorkerTask, parseCommandLine, parseSymfonyCommand} from './command-line.ts';
import {hasEnded, readText} from './read-text.ts';

/** The state letters of /proc/PID/stat that say something to an administrator. */
const STATES: Readonly<Record<string, ProcessState>> = {
  R: 'running',
  S: 'sleeping',
  I: 'sleeping',
  D: 'waiting for a disk',
  T: 'stopped',
  t: 'traced',
  Z: 'ended',
  X: 'ended',
};

export type ProcessState =
  | 'running'
  | 'sleeping'
  | 'waiting for a disk'
  /** By a signal: SIGSTOP, SIGTSTP. */
  | 'stopped'
  /** By a debugger. */
  | 'traced'
  | 'ended'
  /** There is no such process. */
  | 'gone';

export interface SeenProcess {
  state: ProcessState;
  /** Its command line is that of an AtoM worker. */
  isWorker: boolean;
}

/**
 * What /proc says about a process of this host; null if it cannot be read.
 * @param options.proc where the process file system is mounted
 */
export async function readProcessState(
  pid: number,
  options: {proc?: string} = {},
): Promise<SeenProcess | null> {
  const directory = join(options.proc ?? '/proc', String(pid));
  try {
    const [{text: stat}, {text: commandLine}] = await Promise.all([
      readText(join(directory, 'stat'), 4096),
      readText(join(directory, 'cmdline'), 4096),
    ]);
    const state = parseState(stat);
    const task = parseSymfonyCommand(parseCommandLine(commandLine))?.task;
    return state === null ? null : {state, isWorker: task !== undefined && isWorkerTask(task)};
  } catch (error) {
    if (!hasEnded(error)) return null;
    // Without /proc, nothing is known; with hidepid, another user's process looks like one that is gone.
    const readable = await readText(join(options.proc ?? '/proc', '1/stat'), 4096).catch(() => null);
    return readable === null ? null : {state: 'gone', isWorker: false};
  }
}

/** The state in /proc/PID/stat; null if the text is something else. The name before it may hold parentheses. */
export function parseState(text: string): ProcessState | null {
  return STATES[text.slice(text.lastIndexOf(')') + 2)[0] ?? ''] ?? null;
}
