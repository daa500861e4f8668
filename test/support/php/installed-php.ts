import {execFileSync} from 'node:child_process';
import type {PhpPermission} from '../../../src/php/run-php.ts';

/** Whether `php` is installed; says so if it is not, since tests are then skipped. */
export function phpIsInstalled(): boolean {
  try {
    execFileSync('php', ['-v'], {stdio: 'ignore'});
    return true;
  } catch {
    console.warn('skipped: php is not installed, so the comparison with real PHP cannot be made');
    return false;
  }
}

/** What `php` itself makes of a file's output and returned value, arrays as objects. */
export function includeWithPhp(
  file: string,
  env: Record<string, string>,
): {output: string; returned: unknown} {
  const program = `ob_start(); $returned = include $argv[1]; $output = ob_get_clean();
    echo json_encode(['output' => $output, 'returned' => $returned], JSON_FORCE_OBJECT);`;
  return JSON.parse(
    execFileSync('php', ['-n', '-d', 'error_reporting=0', '-r', program, '--', file], {
      env: {...env, PATH: process.env.PATH},
      encoding: 'utf8',
    }),
  );
}

/** What --run-php gives; the user id is by default that of the test. */
export function phpPermission(more: Partial<PhpPermission> = {}): PhpPermission {
  return {
    timeoutSeconds: 20,
    callerUid: process.geteuid!(),
    kill: (pid, signal) => process.kill(pid, signal),
    ...more,
  };
}
