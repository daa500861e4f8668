import {basename} from 'node:path';

/** AtoM's `symfony` script as a process runs it. */
export interface SymfonyCommand {
  /** The path as it is in the arguments; relative to the working directory if it does not begin with a slash. */
  script: string;
  /** The task, such as `jobs:worker`. */
  task: string;
}

/** Options of `php` whose value may be the next argument: `-d name=value`, `-c FILE`. */
const PHP_OPTIONS_WITH_VALUE = new Set(['-c', '-d', '-z', '--php-ini', '--define', '--zend-extension']);
/** Also `php-8.2`, cPanel's `ea-php74`, LiteSpeed's `lsphp`. */
const PHP = /php[\w.-]*$/;
/** Of a file on Linux. Any user may call a process anything, at any length. */
const LONGEST_NAME = 255;

/** The arguments in the content of /proc/PID/cmdline, each of which ends with a null byte. */
export function parseCommandLine(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\0$/, '').split('\0');
}

/**
 * The symfony task that a `php` process runs; null for any other process. `php` may have its version in its name, and
 * options before the script. Options of symfony may come before the task.
 */
export function parseSymfonyCommand(argv: readonly string[]): SymfonyCommand | null {
  const [php = '', ...args] = argv;
  const program = basename(php);
  if (program.length > LONGEST_NAME || !PHP.test(program)) return null;
  const at = scriptIndex(args);
  const script = args[at];
  if (script === undefined || basename(script) !== 'symfony') return null;
  const task = args.slice(at + 1).find((arg) => !arg.startsWith('-'));
  return task === undefined ? null : {script, task};
}

/** The index of the script among the arguments of `php`; the number of arguments if there is none. */
function scriptIndex(args: readonly string[]): number {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index]!;
    if (arg === '--' || arg === '-f' || arg === '--file') return index + 1;
    if (!arg.startsWith('-')) return index;
    if (PHP_OPTIONS_WITH_VALUE.has(arg)) index += 1;
  }
  return args.length;
}

/** Whether a task is the worker itself. Symfony takes each part of a name shortened. */
export function isWorkerTask(task: string): boolean {
  const [namespace = '', name = ''] = task.split(':');
  return (
    namespace.startsWith('j') && 'jobs'.startsWith(namespace) && name !== '' && 'worker'.startsWith(name)
  );
}

/**
 * Whether a task is one that AtoM's worker starts as a child to import a CSV file: `csv:import`,
 * `csv:authority-import`, …
 */
export function isImportTask(task: string): boolean {
  return /^csv:(?:[a-z]+-)*import$/.test(task);
}
