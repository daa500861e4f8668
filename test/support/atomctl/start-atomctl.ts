import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {cleanEnvironment, commandLine, type RunOptions, type RunResult} from './run-atomctl.ts';

/** An atomctl that runs while the test goes on: it can be sent a signal, or lose its servers. */
export interface StartedAtomctl {
  readonly child: ChildProcess;
  /** What it has printed on stdout so far. */
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<RunResult & {signal: NodeJS.Signals | null}>;
}

/** Starts atomctl as a user would, with its output in pipes and nothing on stdin. Needs the build. */
export function startAtomctl(
  args: readonly string[],
  options: Omit<RunOptions, 'stdin'> = {},
): StartedAtomctl {
  const child = spawn(...commandLine(args), {
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
    child,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ended: once(child, 'close').then(([code, signal]) => ({code, signal, ...printed})),
  };
}
