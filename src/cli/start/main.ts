import '../debug.ts';
import {execute, settings} from '@oclif/core';
import {COMMANDS} from './command-table.ts';
import {atomctlPlugin, isKnown} from './plugin.ts';

export {COMMANDS};

/**
 * Runs the command that the arguments name, and sets the process's exit status.
 * @param root the directory of package.json
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  process.title = 'atomctl';
  settings.enableAutoTranspile = false;
  // No file of the user's with colours for help.
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  const args = joinTopic(await putCommandFirst(argv));
  const [name = '--help'] = args;
  const help = asksForHelp(args);
  const plugin = await atomctlPlugin(root, needsDescriptions(name, help) ? null : name);
  if (!isKnown(name) && name !== '--version' && !(help && name.startsWith('-'))) {
    const {commandNotFound} = await import('../command-not-found.ts');
    return commandNotFound({id: name, argv: args, commands: plugin.commands});
  }
  const loadOptions = {root, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]])};
  await execute({args, loadOptions});
}

const DESCRIBING = new Set(['help', 'completion', 'completion:answer', 'man']);

function needsDescriptions(name: string, help: boolean): boolean {
  return name !== '--version' && (help || DESCRIBING.has(name) || !Object.hasOwn(COMMANDS, name));
}

/** As oclif sees it. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.length === 0 || args.slice(0, end === -1 ? args.length : end).includes('--help');
}

const TOPICS = new Set(['jobs', 'queue', 'worker']);

/** oclif knows no flag whose value may be left out: what such a flag then stands for. */
const WITHOUT_VALUE: Readonly<Record<string, string>> = {'--watch': '--watch=2'};

/**
 * The arguments as oclif expects them: `jobs list` becomes `jobs:list`, also behind `help`, and `--watch` alone gets
 * its default. Both spellings are supported; the colon form is the one that help shows.
 */
export function joinTopic(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'help') return [first, ...joinTopic(argv.slice(1))];
  if (first === undefined || second === undefined || !TOPICS.has(first)) return withValues(argv);
  return /^[a-z][a-z-]*$/.test(second) ? [`${first}:${second}`, ...withValues(rest)] : withValues(argv);
}

/** What comes after `--` is no flag. */
function withValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((text, index) => (end === -1 || index < end ? (WITHOUT_VALUE[text] ?? text) : text));
}

/**
 * The arguments with the shared flags that stand before the command put behind its own: oclif takes the first word
 * for the command, while systemctl and kubectl take `--json jobs:list` as well as `jobs:list --json`.
 */
export async function putCommandFirst(argv: readonly string[]): Promise<string[]> {
  if (!argv[0]?.startsWith('-')) return [...argv];
  const wordsOf = await sharedFlagWords();
  let command = 0;
  while (command < argv.length && wordsOf(argv[command]!) > 0) command += wordsOf(argv[command]!);
  if (command >= argv.length) return [...argv];
  const rest = argv.slice(command);
  const end = rest.indexOf('--');
  return rest.toSpliced(end === -1 ? rest.length : end, 0, ...argv.slice(0, command));
}

/** Tells how many words a shared flag takes, its value included; 0 for what is none. */
async function sharedFlagWords(): Promise<(word: string) => number> {
  const {sharedFlags} = await import('../flags/shared-flags.ts');
  const words = new Map([
    ['--json', 1],
    ['-q', 1],
  ]);
  for (const [name, {type}] of Object.entries(sharedFlags))
    words.set(`--${name}`, type === 'boolean' ? 1 : 2);
  return (word) => {
    const [name, value] = word.split('=', 2);
    const count = words.get(name!) ?? 0;
    return value === undefined ? count : Math.min(count, 1);
  };
}
