import {basename} from 'node:path';

/** AtoM's `symfony` script as a process runs it. */
export interface SymfonyCommand {
  /** The path as it stands in the arguments; relative to the working directory if it does not begin with a slash. */
  script: string;
  /** The task, such as `jobs:worker`. */
  task: string;
}

/** Options of `php` whose value may be the next argument: `-d name=value`, `-c FILE`. */
const PHP_OPTIONS_WITH_VALUE = new Set(['-c', '-d', '-z', '--php-ini', '--define', '--zend-extension']);
const PHP = /^php[\d.]*(?:-cli)?$/;

/** The arguments in the content of /proc/PID/cmdline, each of which ends with a null byte. */
export function parseCommandLine(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\0$/, '').split('\0');
}

/**
 * The symfony task that a `php` process runs; null for any other process. `php` may have its version in its name, and
 * options before the script. Options of symfony may stand before the task.
 */
export function parseSymfonyCommand(argv: readonly string[]): SymfonyCommand | null {
  const [php = '', ...words] = argv;
  if (!PHP.test(basename(php))) return null;
  const at = scriptIndex(words);
  const script = words[at];
  if (script === undefined || basename(script) !== 'symfony') return null;
  const task = words.slice(at + 1).find((word) => !word.startsWith('-'));
  return task === undefined ? null : {script, task};
}

/** Where the script stands among the arguments of `php`; the number of arguments if there is none. */
function scriptIndex(words: readonly string[]): number {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    if (word === '--' || word === '-f' || word === '--file') return index + 1;
    if (!word.startsWith('-')) return index;
    if (PHP_OPTIONS_WITH_VALUE.has(word)) index += 1;
  }
  return words.length;
}

/** Whether a task is the worker itself. */
export function isWorkerTask(task: string): boolean {
  return task === 'jobs:worker';
}

/** Whether a task is one that AtoM's worker starts as a child to import a CSV file: `csv:import`, `csv:authority-import`, … */
export function isImportTask(task: string): boolean {
  return /^csv:(?:[a-z]+-)?import$/.test(task);
}
