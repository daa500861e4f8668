import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {ATOMCTL, cleanEnvironment, type RunOptions, type RunResult} from './sandbox.ts';

/** An atomctl that is under way, so that something can happen to it or to its servers. */
export interface StartedAtomctl {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves once it has ended. */
  end(): Promise<RunResult>;
}

export function startAtomctl(
  args: readonly string[],
  {cwd = tmpdir(), env = {}}: Omit<RunOptions, 'stdin'> = {},
): StartedAtomctl {
  const child = spawn(process.execPath, [ATOMCTL, ...args], {cwd, env: cleanEnvironment(env)});
  child.stdin.end();
  const closed = once(child, 'close');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  async function end(): Promise<RunResult> {
    const [code] = (await closed) as [number | null];
    return {code, stdout, stderr};
  }
  return {child, end};
}
