import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {tmpdir} from 'node:os';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The entry of the npm package, as npm links it. */
export const NPM_ENTRY = fileURLToPath(new URL('../../../bin/run.cjs', import.meta.url));

/** The executable that is to be tested in place of the npm package. */
export const EXECUTABLE = process.env.ATOMCTL_EXECUTABLE && resolve(process.env.ATOMCTL_EXECUTABLE);

/** The words that start atomctl, the build in dist or the executable. */
export const ATOMCTL: readonly string[] = EXECUTABLE ? [EXECUTABLE] : [process.execPath, NPM_ENTRY];

/** What `spawn` and `execFile` take to start atomctl. */
export function commandLine(args: readonly string[]): [program: string, args: string[]] {
  const [program, ...words] = [...ATOMCTL, ...args];
  return [program!, words];
}

export interface RunOptions {
  /** Set over an environment without any of atomctl's or AtoM's variables. */
  env?: Readonly<Record<string, string>>;
  /** Default: a directory that belongs to no AtoM installation. */
  cwd?: string;
  /** The user and group to run as; default: those of the test. */
  uid?: number;
  /** What stdin holds; without it stdin is empty. */
  stdin?: string;
}

export interface RunResult {
  /** Exit status; null if a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs atomctl as a user would, with stdin, stdout and stderr in pipes. Needs the build. */
export async function runAtomctl(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = spawn(...commandLine(args), {
    cwd: options.cwd ?? tmpdir(),
    env: cleanEnvironment(options.env),
    ...(options.uid === undefined ? {} : {uid: options.uid, gid: options.uid}),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {}).end(options.stdin ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  if (options.env?.DEBUG === undefined) requireWords(args, stdout + stderr);
  return {code, stdout, stderr};
}

const ERROR_CODE =
  /\bE(?:ACCES|AGAIN|BADF|BUSY|CONNREFUSED|CONNRESET|EXIST|HOSTUNREACH|INVAL|IO|ISDIR|LOOP|MFILE|NETUNREACH|NOENT|NOSPC|NOTDIR|NOTEMPTY|NOTFOUND|PERM|PIPE|ROFS|TIMEDOUT|AI_AGAIN)\b/;

/** No user is to see a code of the system such as ENOENT, whatever is tested. */
function requireWords(args: readonly string[], output: string): void {
  const [code] = ERROR_CODE.exec(output) ?? [];
  if (code !== undefined) throw new Error(`atomctl ${args.join(' ')} prints ${code}:\n${output}`);
}

export interface TerminalOptions extends Omit<RunOptions, 'stdin'> {
  /** What is typed, at once. */
  input?: string;
  /** What is typed at each question that ends with `(y/N)`, in order. */
  answers?: readonly string[];
  columns?: number;
  rows?: number;
  /** The words that start it; ATOMCTL otherwise. */
  atomctl?: readonly string[];
}

/**
 * Runs atomctl on a pseudo-terminal, by util-linux's `script`: stdin, stdout and stderr are that terminal.
 * Returns what the screen received, echo of the input included, with the terminal's `\r\n` turned into `\n`.
 */
export async function runOnTerminal(
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<{code: number | null; screen: string}> {
  const {columns = 100, rows = 40, input = '', answers = [], atomctl = ATOMCTL} = options;
  const command = [...atomctl, ...args].map(shellQuote).join(' ');
  const child = spawn(
    'script',
    ['-qefc', `stty cols ${columns} rows ${rows}; exec ${command}`, '/dev/null'],
    {cwd: options.cwd ?? tmpdir(), env: cleanEnvironment({TERM: 'xterm-256color', ...options.env})},
  );
  let screen = '';
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    screen += chunk;
    const asked = screen.split('(y/N) ').length - 1;
    if (asked > answered && answered < answers.length) child.stdin.write(answers[answered++]!);
  });
  child.stdin.on('error', () => {}).write(input);
  // Either may come first.
  const closed = once(child.stdout, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  child.stdin.end();
  await closed;
  return {code, screen: screen.replaceAll('\r\n', '\n')};
}

/** Among them NODE_EXTRA_CA_CERTS, with which each start of Node takes longer. */
const FOREIGN = /^(ATOMCTL_|ATOM_|NO_COLOR|FORCE_COLOR|NODE_|VITEST|DEBUG|TEST$|COLUMNS|LINES|XDG_)/;

/** What tests change is not for the journal of the machine that they run on. */
const NO_AUDIT_TRAIL = {ATOMCTL_AUDIT_LOG: '/dev/null'};

/** This process's environment without what would change atomctl's behaviour, plus what the test sets. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  return {...Object.fromEntries(kept), ...NO_AUDIT_TRAIL, ...extra};
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
