import {spawn} from 'node:child_process';
import {closeSync, constants, openSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {coverInherited} from '../files/inherited-descriptors.ts';
import {readPhpJson} from './json.ts';
import {type PhpUser, phpUser} from './php-user.ts';
import {lookUp, type PhpValue} from './value.ts';

const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;

/** The directories in which `php` is searched; the caller's own PATH does not count. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The exit status of timeout and setpriv if the program to run is not found. */
const NOT_FOUND = 127;

/** AtoM's container variables, from which its image makes the configuration. */
const PASSED_ON = /^ATOM_\w+$/;

const PROGRAM = `
ob_start();
$returned = (function () { return require $GLOBALS['argv'][1]; })();
$output = ob_get_clean();
echo json_encode(['output' => $output, 'returned' => $returned], JSON_THROW_ON_ERROR);
`;

/** What `--run-php` allows, with what running PHP needs from outside. */
export interface PhpPermission {
  /** After this time PHP and every process of its group are killed. */
  timeoutSeconds: number;
  /** The user id that atomctl runs as. */
  callerUid: number;
  /** Node's process.kill: a negative id means a process group. */
  kill(pid: number, signal: NodeJS.Signals): void;
}

/** How PHP in a site's files is evaluated. */
export interface PhpOptions {
  /** What getenv() sees if the file is read without PHP. */
  env: Readonly<Record<string, string | undefined>>;
  /** Absent: `php` is never run. */
  php?: PhpPermission | undefined;
}

export type PhpRun =
  | {ran: true; output: string; returned: PhpValue}
  /** `reason` is a clause without its full stop: "php failed to run it". */
  | {ran: false; reason: string};

/**
 * Runs `php` on a file and returns what the file printed and returned.
 *
 * PHP gets a session of its own without a terminal, no stdin, and of the environment a fixed PATH and `ATOM_*`.
 * If the caller is root, phpUser decides as whom it runs. Nothing that PHP prints on failure is passed on, because a
 * stack trace holds arguments, passwords among them.
 * @param file absolute; links are followed as PHP does
 */
export async function runPhp(
  file: string,
  {env, php}: {env: PhpOptions['env']; php: PhpPermission},
): Promise<PhpRun> {
  const directory = openDirectory(dirname(file));
  if (directory === null) return {ran: false, reason: 'its directory cannot be opened'};
  try {
    const user = await phpUser(file, {directory, callerUid: php.callerUid, env: minimal(env)});
    if ('refusal' in user) return {ran: false, reason: user.refusal};
    return await evaluate(`./${basename(file)}`, {user, directory, env: minimal(env), php});
  } finally {
    closeSync(directory);
  }
}

function openDirectory(directory: string): number | null {
  try {
    return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return null;
  }
}

/** Of an environment, what PHP gets that another user's files decide: a fixed PATH, and AtoM's container variables. */
export function minimal(env: PhpOptions['env']): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => PASSED_ON.test(name));
  return {...Object.fromEntries(kept), PATH: SEARCH_PATH};
}

interface Evaluation {
  user: PhpUser;
  /** The open directory that was checked: PHP starts in it, even if its name means another one by then. */
  directory: number;
  env: Record<string, string | undefined>;
  php: PhpPermission;
}

function evaluate(name: string, {user, directory, env, php}: Evaluation): Promise<PhpRun> {
  // coreutils' timeout ends PHP even if atomctl itself is killed in the meantime.
  const bound = ['--signal=KILL', String(Math.ceil(php.timeoutSeconds) + 1)];
  const program = ['php', '-d', 'display_errors=0', '-r', PROGRAM, '--', name];
  const child = spawn('timeout', [...bound, ...user.command, ...program], {
    cwd: `/proc/self/fd/${directory}`,
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'ignore', ...coverInherited()],
  });
  const stdout = child.stdout!;
  const missing = `${user.command.length > 0 ? 'setpriv or php' : 'php'} is not installed`;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (run: PhpRun) => {
      clearTimeout(timer);
      resolve(run);
    };
    const abort = (reason: string) => {
      killGroup(child.pid, php);
      stdout.destroy();
      child.unref();
      end({ran: false, reason});
    };
    const timer = setTimeout(
      () => abort(`php did not end within ${php.timeoutSeconds} s`),
      php.timeoutSeconds * 1000,
    );
    stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > OUTPUT_LIMIT_BYTES) abort(`it printed more than ${OUTPUT_LIMIT_BYTES / 1024 / 1024} MiB`);
      else chunks.push(chunk);
    });
    child.once('error', () => end({ran: false, reason: 'the timeout command of coreutils is not installed'}));
    child.once('close', (status) => {
      if (status === 0) return end(readAnswer(Buffer.concat(chunks).toString()));
      end({ran: false, reason: status === NOT_FOUND ? missing : 'php failed to run it'});
    });
  });
}

/** The group includes what PHP started. */
function killGroup(pid: number | undefined, {kill}: PhpPermission): void {
  try {
    if (pid !== undefined) kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended already.
  }
}

function readAnswer(stdout: string): PhpRun {
  const failed: PhpRun = {ran: false, reason: 'php failed to run it'};
  try {
    const answer = readPhpJson(stdout);
    const output = lookUp(answer, ['output']);
    const returned = lookUp(answer, ['returned']);
    return typeof output === 'string' && returned !== undefined ? {ran: true, output, returned} : failed;
  } catch {
    return failed;
  }
}
