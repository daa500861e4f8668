import {execFile, execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {promisify} from 'node:util';
import {cleanEnvironment} from './run-atomctl.ts';

const run = promisify(execFile);

/** A terminal that a test can type into, look at and resize: a tmux server of its own, with one window. */
export interface Tmux {
  /** What is on the screen: a line a row, trailing blanks cut. */
  screen(): Promise<string[]>;
  /** Keys by tmux's names (`C-c`, `Enter`), or text. */
  type(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** What tmux knows of the window, e.g. `alternate_on` or `cursor_flag`. */
  ask(variable: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a shell in a window of this size. */
export async function startTmux(
  size: {columns: number; rows: number},
  env: Readonly<Record<string, string>>,
): Promise<Tmux> {
  const label = `atomctl-${randomBytes(5).toString('hex')}`;
  const tmux = async (...args: string[]) => (await run('tmux', ['-L', label, ...args])).stdout;
  await run(
    'tmux',
    [
      '-L',
      label,
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      `${size.columns}`,
      '-y',
      `${size.rows}`,
      'exec sh',
    ],
    {env: cleanEnvironment({...env, PS1: '$ ', TERM: 'xterm-256color', LANG: 'C.UTF-8'})},
  );
  await tmux('set-option', '-g', 'window-size', 'manual');
  return {
    screen: async () => (await tmux('capture-pane', '-p')).replace(/\n$/, '').split('\n'),
    type: async (...keys) => void (await tmux('send-keys', ...keys)),
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`)),
    ask: async (variable) => (await tmux('display-message', '-p', `#{${variable}}`)).trim(),
    stop: async () => void (await tmux('kill-server')),
  };
}

/** Whether tmux is installed. */
export function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V']);
    return true;
  } catch {
    return false;
  }
}
