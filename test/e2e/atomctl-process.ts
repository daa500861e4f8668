import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {ATOMCTL, cleanEnvironment, type RunResult} from '../support/sandbox.ts';

/** atomctl while it runs, for tests that send it a signal. */
export function startAtomctl(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): {child: ChildProcess; result: Promise<RunResult & {signal: NodeJS.Signals | null}>} {
  const child = spawn(process.execPath, [ATOMCTL, ...args], {
    cwd: tmpdir(),
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const result = once(child, 'close').then(([code, signal]) => ({code, signal, stdout, stderr}));
  return {child, result};
}
