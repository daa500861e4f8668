import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cleanEnvironment} from '../support/atomctl/run-atomctl.ts';
import {createScratch} from '../support/scratch.ts';

export interface Command {
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** What a whole process took, from its start to its end. */
export interface Measured {
  wallSeconds: number;
  /** In the process and in the kernel for it, to a hundredth of a second: that is as fine as `time` tells it. */
  cpuSeconds: number;
  peakMib: number;
}

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) process.kill(-pid, 'SIGKILL');
});

/**
 * Runs a command under GNU time, its output into a file.
 * @throws Error with what it wrote to stderr if it does not end with 0: its figures would mean nothing
 */
export async function measure({command, args, env = {}}: Command): Promise<Measured> {
  const [output, errors, figures] = ['output', 'errors', 'figures'].map((name) => join(scratch(), name));
  const files = [openSync(output!, 'w'), openSync(errors!, 'w')] as const;
  const started = performance.now();
  const child = spawn('/usr/bin/time', ['-q', '-f', '%U %S %M', '-o', figures!, command, ...args], {
    cwd: tmpdir(),
    env: cleanEnvironment(env),
    stdio: ['ignore', ...files],
    // A group of its own, so that the command ends with us, and not only `time`.
    detached: true,
  });
  running.add(child.pid!);
  const [code] = (await once(child, 'exit')) as [number | null];
  const wallSeconds = (performance.now() - started) / 1000;
  running.delete(child.pid!);
  files.forEach(closeSync);
  if (code !== 0) {
    throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${readFileSync(errors!, 'utf8')}`);
  }
  const [user, system, kib] = readFileSync(figures!, 'utf8').split(' ').map(Number);
  return {wallSeconds, cpuSeconds: user! + system!, peakMib: kib! / 1024};
}

let directory: string | undefined;

function scratch(): string {
  directory ??= createScratch('bench');
  return directory;
}
