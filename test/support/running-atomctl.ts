import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {ATOMCTL, cleanEnvironment, type RunOptions, type RunResult} from './run-atomctl.ts';

/** An atomctl that goes on while the test watches it. */
export interface RunningAtomctl {
  /** What it has printed on stdout so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<RunResult>;
}

/** Starts atomctl as a user would, with its output in pipes and nothing on stdin. Needs the build in dist. */
export function startAtomctl(
  args: readonly string[],
  options: Omit<RunOptions, 'stdin'> = {},
): RunningAtomctl {
  const child = spawn(process.execPath, [ATOMCTL, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: cleanEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = {stdout: '', stderr: ''};
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk) => {
      printed[name] += chunk;
    });
  }
  return {
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    signal: (name) => child.kill(name),
    ended: once(child, 'close').then(([code]) => ({code: code as number | null, ...printed})),
  };
}
