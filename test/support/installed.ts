import {execFileSync} from 'node:child_process';

/** Whether a program is installed; tests that try something in it are skipped, with this reason, if it is not. */
export function installed(program: string): boolean {
  try {
    execFileSync('which', [program], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}
