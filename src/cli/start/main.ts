import '../debug.ts';
import {Config, settings} from '@oclif/core';
import {EXIT} from '../../errors.ts';
import {systemReason} from '../../system-failure.ts';
import {versionLine} from '../version.ts';
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
  // oclif reads no theme file of the user.
  process.env.ATOMCTL_DISABLE_THEME = 'true';
  keepAbsolutePath();
  const words = joinTopic(await putCommandFirst(argv));
  const args = has(words, '--version') ? ['--version'] : words;
  const [name = '--help'] = args;
  const help = asksForHelp(args);
  process.stdout.prependListener('error', endWithoutStdout);
  if (name === '--version') return void process.stdout.write(`${versionLine()}\n`);
  const plugin = await atomctlPlugin(root, needsDescriptions(name, help) ? null : name);
  if (!isKnown(name) && !(help && name.startsWith('-'))) {
    const {commandNotFound} = await import('../command-not-found.ts');
    return commandNotFound({id: name, argv: args, commands: plugin.commands});
  }
  if (help || !Object.hasOwn(COMMANDS, name)) {
    const {showHelp} = await import('../help/show-help.ts');
    return showHelp(args, plugin);
  }
  const config = await Config.load({root, pjson: plugin.pjson, plugins: new Map([[plugin.name, plugin]])});
  await config.runCommand(name, args.slice(1));
}

/** oclif would throw it. A closed pipe (`| head`) is not an error; a full disk is. */
function endWithoutStdout(cause: NodeJS.ErrnoException): never {
  if (cause.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
  process.stderr.write(`Error: Cannot write to stdout: ${systemReason(cause)}.\n`);
  process.exit(EXIT.failed);
}

/**
 * Programs are not taken from the working directory, which may be a site's uploads: that is what an entry of PATH means
 * which is empty or relative, and an empty PATH. Without PATH, libc looks in /bin and /usr/bin.
 */
function keepAbsolutePath(): void {
  const kept = process.env.PATH?.split(':').filter((entry) => entry.startsWith('/'));
  if (kept?.length) process.env.PATH = kept.join(':');
  else delete process.env.PATH;
}

const DESCRIBING = new Set(['help', 'completion', 'completion:answer', 'man']);

function needsDescriptions(name: string, help: boolean): boolean {
  return help || DESCRIBING.has(name) || !Object.hasOwn(COMMANDS, name);
}

function asksForHelp(args: readonly string[]): boolean {
  return args.length === 0 || has(args, '--help') || has(args, '--help-all');
}

/** An argument after `--` is not a flag. */
function has(args: readonly string[], flag: string): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes(flag);
}

const TOPICS = new Set(['jobs', 'queue', 'worker']);

/** What oclif does not know: short forms for every command, and a flag whose value is optional, with its default. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['-h', '--help'],
  ['-V', '--version'],
  ['--watch', '--watch=2'],
]);

/**
 * The arguments as oclif expects them: `jobs list` becomes `jobs:list`, also after `help`, and flags get their long
 * spelling. Help shows the colon form.
 */
export function joinTopic(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'help') return [first, ...joinTopic(argv.slice(1))];
  if (first === undefined || second === undefined || !TOPICS.has(first)) return spelledOut(argv);
  return /^[a-z][a-z-]*$/.test(second) ? [`${first}:${second}`, ...spelledOut(rest)] : spelledOut(argv);
}

function spelledOut(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const flags = argv.slice(0, end === -1 ? argv.length : end).map((text, index, texts) => {
    // oclif takes the -name of `--sort -name` for `-n ame`: a space before it prevents that.
    if (texts[index - 1] === '--sort') return text.replace(/^-/, ' -');
    return SPELLINGS.get(text) ?? text.replace(/^--sort=-/, '--sort= -');
  });
  return [...flags, ...argv.slice(flags.length)];
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
    ['--all-sites', 1],
    ['--help', 1],
    ['--help-all', 1],
    ['--version', 1],
    ['-h', 1],
    ['-q', 1],
    ['-V', 1],
  ]);
  for (const [name, {type}] of Object.entries(sharedFlags))
    words.set(`--${name}`, type === 'boolean' ? 1 : 2);
  return (word) => {
    const [name, value] = word.split('=', 2);
    const count = words.get(name!) ?? 0;
    return value === undefined ? count : Math.min(count, 1);
  };
}
