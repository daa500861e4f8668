import {spawn} from 'node:child_process';
import type {Readable} from 'node:stream';
import {AtomctlError} from '../errors.ts';
import {BY_HAND} from '../host-commands.ts';

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  deadlineSeconds: number;
  /** Written to the command's standard input. */
  input?: string;
}

/** More than systemctl prints about some hundred units. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Before a tool: it speaks English, gives times in UTC and prints plainly. The rest of the environment is inherited.
 */
const IN_PLAIN_ENGLISH = [
  'env',
  'LC_ALL=C',
  'TZ=UTC',
  'SYSTEMD_COLORS=0',
  'SYSTEMD_PAGER=',
  'SYSTEMD_URLIFY=0',
] as const;

/** The exit status of env(1) if the tool is not installed. */
export const NOT_INSTALLED = 127;

/** The program and the arguments with which a tool is started so that its output can be parsed. */
export function toolCommand(tool: string, args: readonly string[]): [program: string, args: string[]] {
  const [program, ...settings] = IN_PLAIN_ENGLISH;
  return [program, [...settings, tool, ...args]];
}

/**
 * Runs one of systemd's tools, in English, in UTC and without a pager, and returns what it printed, whatever its
 * exit status is.
 * @throws AtomctlError SYSTEMD_UNAVAILABLE if the tool is not installed, FAILED if the deadline passed
 */
export function runTool(
  tool: string,
  args: readonly string[],
  {deadlineSeconds, input}: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // Ctrl-C on a terminal goes to the whole process group: a tool that starts a worker again must not end by it. sudo
    // needs the terminal, to ask for a password.
    const child = spawn(...toolCommand(tool, args), {detached: tool !== 'sudo'});
    // Node's own timer would go on for a program that cannot be started.
    const deadline = setTimeout(() => child.kill(), deadlineSeconds * 1000);
    const collect = (stream: Readable) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_OUTPUT_BYTES) child.kill();
        else chunks.push(chunk);
      });
      return () => Buffer.concat(chunks).toString('utf8');
    };
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const began = performance.now();
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(notInstalled(tool, error));
    });
    child.once('close', (status) => {
      clearTimeout(deadline);
      if (status === NOT_INSTALLED) return reject(notInstalled(tool, undefined));
      const isLate = status === null && performance.now() - began >= deadlineSeconds * 1000;
      if (isLate) return reject(tooSlow(tool, args, deadlineSeconds));
      resolve({status: status ?? 1, stdout: stdout(), stderr: stderr()});
    });
    // A tool that fails at once may close its input before all of it is written.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

function notInstalled(tool: string, cause: unknown): AtomctlError {
  if (tool !== 'systemctl' && tool !== 'journalctl') {
    const hint = tool === 'sudo' ? 'Run it as root, without --sudo.' : undefined;
    return new AtomctlError('FAILED', `There is no ${tool} on this machine.`, {hint, cause});
  }
  return new AtomctlError('SYSTEMD_UNAVAILABLE', `This machine has no ${tool}.`, {
    hint: WITHOUT_SYSTEMD,
    cause,
  });
}

function tooSlow(tool: string, args: readonly string[], seconds: number): AtomctlError {
  return new AtomctlError('FAILED', `"${tool} ${args.join(' ')}" did not end within ${seconds} s.`, {
    hint: 'systemd may still be working on it. To check: atomctl worker:status',
  });
}

/** What to do without systemd. */
export const WITHOUT_SYSTEMD = `In a container, restart the container of the worker, or run the worker with ${BY_HAND.startWorker}. To see the connected workers: atomctl queue:workers`;
