import {execFile} from 'node:child_process';
import path from 'node:path';
import {stat} from './files.ts';
import {fromJson, type PhpValue} from './php-value.ts';

const TIME_LIMIT_MS = 10_000;
const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;

const PROGRAM = `
ob_start();
$returned = (function () { return require $GLOBALS['argv'][1]; })();
$output = ob_get_clean();
echo json_encode(['output' => $output, 'returned' => $returned], JSON_THROW_ON_ERROR);
`;

export type PhpRun =
  | {ran: true; output: string; returned: PhpValue}
  | {ran: false; reason: 'php is not installed here' | 'php fails on it'};

/**
 * Has `php` include a file, and says what the file printed and returned.
 *
 * As root, php runs as the file's owner: who may write a site's configuration shall not gain root by it.
 * Nothing that php prints in failing is passed on, since a stack trace holds arguments, passwords among them.
 */
export async function runPhp(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PhpRun> {
  const {uid, gid} = await stat(file);
  const options = {
    env: {...env},
    cwd: path.dirname(file),
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL' as const,
    maxBuffer: OUTPUT_LIMIT_BYTES,
    ...(process.getuid?.() === 0 ? {uid, gid} : {}),
  };
  return new Promise((resolve) => {
    execFile('php', ['-d', 'display_errors=stderr', '-r', PROGRAM, '--', file], options, (error, stdout) => {
      if (error?.code === 'ENOENT') return resolve({ran: false, reason: 'php is not installed here'});
      if (error) return resolve({ran: false, reason: 'php fails on it'});
      resolve(readAnswer(stdout));
    });
  });
}

function readAnswer(stdout: string): PhpRun {
  try {
    const {output, returned} = JSON.parse(stdout) as {output: string; returned: unknown};
    return {ran: true, output, returned: fromJson(returned)};
  } catch {
    return {ran: false, reason: 'php fails on it'};
  }
}
