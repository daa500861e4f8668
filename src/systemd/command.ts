import {execFile} from 'node:child_process';
import {AtomctlError} from '../errors.ts';

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

/** More than any answer of systemctl about some hundred units. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Runs one of systemd's tools, in English, in UTC and without a pager, and returns what it said whatever its
 * exit status.
 * @throws AtomctlError SYSTEMD_UNAVAILABLE where the tool is not installed, FAILED where the deadline passed
 */
export function runTool(
  tool: string,
  args: readonly string[],
  {deadlineSeconds, input}: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      tool,
      args,
      {env: toolEnvironment(), timeout: deadlineSeconds * 1000, maxBuffer: MAX_OUTPUT_BYTES},
      (error, stdout, stderr) => {
        if (error === null) return resolve({status: 0, stdout, stderr});
        if (error.code === ('ENOENT' as unknown)) return reject(notInstalled(tool, error));
        if (error.killed) return reject(tooSlow(tool, args, deadlineSeconds, error));
        resolve({status: typeof error.code === 'number' ? error.code : 1, stdout, stderr});
      },
    );
    // A tool that fails at once may close its input before all of it is written.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** The environment in which systemd's tools speak English, give times in UTC and print plainly. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LC_ALL: 'C',
    TZ: 'UTC',
    SYSTEMD_COLORS: '0',
    SYSTEMD_PAGER: '',
    SYSTEMD_URLIFY: '0',
  };
}

function notInstalled(tool: string, cause: unknown): AtomctlError {
  if (tool !== 'systemctl' && tool !== 'journalctl') {
    return new AtomctlError('FAILED', `There is no ${tool} on this machine.`, {cause});
  }
  return new AtomctlError('SYSTEMD_UNAVAILABLE', `This machine has no ${tool}.`, {
    hint: WITHOUT_SYSTEMD,
    cause,
  });
}

function tooSlow(tool: string, args: readonly string[], seconds: number, cause: unknown): AtomctlError {
  return new AtomctlError('FAILED', `"${tool} ${args.join(' ')}" did not end within ${seconds} s.`, {
    hint: 'systemd may still be carrying it out; look again with atomctl worker:status.',
    cause,
  });
}

/** What works where no systemd does. */
export const WITHOUT_SYSTEMD =
  'In a container, restart the container of the worker or run it with atomctl worker:run; atomctl queue:workers shows the workers that are connected.';
