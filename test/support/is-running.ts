import {readFileSync} from 'node:fs';

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
export function isRunning(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
