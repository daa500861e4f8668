import '../debug.ts';
import {execute, settings} from '@oclif/core';
import {COMMANDS} from './command-table.ts';
import {atomctlPlugin, isKnown} from './plugin.ts';
import {versionLine} from './version.ts';

export {COMMANDS};

/**
 * Runs the command that the arguments name, and sets the process's exit status.
 * @param root the directory of package.json
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  process.title = 'atomctl';
  settings.enableAutoTranspile = false;
  // No theme file of the user for help.
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  const args = joinTopic(await putCommandFirst(argv));
  const [name = '--help'] = args;
  const help = asksForHelp(args);
  if (name === '--version') return void process.stdout.write(`${versionLine()}\n`);
  const plugin = await atomctlPlugin(root, needsDescriptions(name, help) ? null : name);
  if (!isKnown(name) && !(help && name.startsWith('-'))) {
    const {commandNotFound} = await import('../command-not-found.ts');
    return commandNotFound({id: name, argv: args, commands: plugin.commands});
  }
  const loadOptions = {root, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]])};
  await execute({args, loadOptions});
}

const DESCRIBING = new Set(['help', 'completion', 'completion:answer', 'man']);

function needsDescriptions(name: string, help: boolean): boolean {
  return help || DESCRIBING.has(name) || !Object.hasOwn(COMMANDS, name);
}

/** The same rule as oclif's. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.length === 0 || args.slice(0, end === -1 ? args.length : end).includes('--help');
}

const TOPICS = new Set(['jobs', 'queue', 'worker']);

/** Flags whose value is optional, with their default: oclif does not support them. */
const WITHOUT_VALUE: ReadonlyMap<string, string> = new Map([['--watch', '--watch=2']]);

/**
 * The arguments as oclif expects them: `jobs list` becomes `jobs:list`, also after `help`, and `--watch` alone gets its
 * default. Help shows the colon form.
 */
export function joinTopic(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'help') return [first, ...joinTopic(argv.slice(1))];
  if (first === undefined || second === undefined || !TOPICS.has(first)) return withValues(argv);
  return /^[a-z][a-z-]*$/.test(second) ? [`${first}:${second}`, ...withValues(rest)] : withValues(argv);
}

/** An argument after `--` is not a flag. */
function withValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((text, index) => (end === -1 || index < end ? (WITHOUT_VALUE.get(text) ?? text) : text));
}

/**
 * Moves shared flags that come before the command behind it. oclif takes the first word as the command, but `--json
 * jobs:list` must work too, as in systemctl and kubectl.
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

/** Returns a function: how many words a shared flag takes, with its value; 0 if it is not a shared flag. */
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
