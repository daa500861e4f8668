import type {AskedValues, CompletedCommand, CompletedFlag, Values} from './completed-commands.ts';

/** What a shell offers for a word. The scripts in completions/ handle each kind. */
export interface Completion {
  /** `list`: a comma may follow. `files` and `directories`: the shell completes them itself. */
  kind: 'words' | 'list' | 'files' | 'directories';
  suggestions: Suggestion[];
}

export interface Suggestion {
  /** The whole word. */
  word: string;
  description: string;
}

export interface CompleteOptions {
  /** The words after `atomctl`. The last one, which may be empty, is completed. */
  words: readonly string[];
  commands: readonly CompletedCommand[];
  /** Flags that are allowed before the command. */
  leadingFlags: readonly string[];
  /** Asks for values that are not the same everywhere; none if that fails. */
  ask: (values: AskedValues, line: TypedLine) => Promise<Suggestion[]>;
}

/** What was typed before the word at the cursor. */
export interface TypedLine {
  /** The command's id; null before it is known. */
  command: string | null;
  /** The flags, as they were typed. */
  given: ReadonlySet<string>;
  args: readonly string[];
}

/** What completes the word at the cursor. */
export async function complete(options: CompleteOptions): Promise<Completion> {
  const current = options.words.at(-1) ?? '';
  if (REDIRECTIONS.includes(options.words.at(-2) ?? '')) return {kind: 'files', suggestions: []};
  const line = readLine(options);
  if (line.pending !== null) return completeValues(line.pending, current, '', options, line);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined)
    return completeValues(valuesOf(line.flags, flag), value!, `${flag}=`, options, line);
  if (current.startsWith('-')) return completeFlag(current, line);
  if (line.command !== null) return completeArgument(line.command, current, options, line);
  return completeCommand(current, line.topic, options.commands);
}

const REDIRECTIONS = ['>', '<'];

interface Line {
  command: CompletedCommand | null;
  /** `jobs` of `jobs list`, until the command is known; otherwise empty. */
  topic: string;
  /** Flags that are allowed here. */
  flags: readonly CompletedFlag[];
  given: ReadonlySet<string>;
  args: string[];
  /** Values of the flag before the cursor; null if there is none, or if it has its value. */
  pending: Values | null;
}

/** Parses the words before the cursor. */
function readLine({words, commands, leadingFlags}: CompleteOptions): Line {
  const known = new Map(commands.flatMap(({flags}) => flags.map((flag) => [flag.name, flag])));
  const leading = leadingFlags.flatMap((name) => known.get(name) ?? []);
  const line = {command: null as CompletedCommand | null, topic: '', flags: leading, args: [] as string[]};
  const given = new Set<string>();
  let pending: Values | null = null;
  for (const word of words.slice(0, -1)) {
    if (pending !== null) pending = null;
    else if (word.startsWith('-')) {
      const [flag] = word.split('=');
      given.add(flag!);
      if (!word.includes('=')) pending = valuesOf(line.flags, word);
    } else if (line.command !== null) line.args.push(word);
    else {
      const name = line.topic === '' ? word : `${line.topic}:${word}`;
      line.command = commands.find(({id}) => id === name) ?? null;
      line.topic = line.command === null ? name : '';
      line.flags = [...(line.command?.flags ?? leading)];
    }
  }
  return {...line, given, pending};
}

function valuesOf(flags: readonly CompletedFlag[], spelling: string): Values | null {
  return flags.find((flag) => spellings(flag).includes(spelling))?.values ?? null;
}

function spellings({name, char}: CompletedFlag): string[] {
  return char === undefined ? [`--${name}`] : [`--${name}`, `-${char}`];
}

async function completeArgument(
  {argument, manyArguments}: CompletedCommand,
  current: string,
  options: CompleteOptions,
  line: Line,
): Promise<Completion> {
  // \`help jobs list\`: the command's name in two words.
  const [topic] = line.args;
  if (line.command?.id === 'help' && topic !== undefined)
    return line.args.length > 1 ? NOTHING : completeCommand(current, topic, options.commands);
  if (line.args.length > 0 && !manyArguments) return NOTHING;
  return completeValues(argument, current, '', options, line);
}

const NOTHING: Completion = {kind: 'words', suggestions: []};

async function completeValues(
  values: Values | null,
  current: string,
  prefix: string,
  options: CompleteOptions,
  {command, given, args}: Line,
): Promise<Completion> {
  if (values === null || values.kind === 'any') return NOTHING;
  if (values.kind === 'files' || values.kind === 'directories') return {kind: values.kind, suggestions: []};
  const existing =
    values.kind === 'words'
      ? values.words.map((word) => ({word, description: ''}))
      : await options.ask(values.values, {command: command?.id ?? null, given, args});
  // In a list the words before the last comma stay, and are not offered again.
  const before = values.list ? current.slice(0, current.lastIndexOf(',') + 1) : '';
  const used = [...before.split(','), ...args.flatMap((arg) => arg.split(','))];
  const suggestions = existing
    .filter(({word}) => !used.includes(word) && `${before}${word}`.startsWith(current))
    .map(({word, description}) => ({word: `${prefix}${before}${word}`, description}));
  return {kind: values.list ? 'list' : 'words', suggestions};
}

const HELP_FLAGS: readonly Suggestion[] = [
  {word: '--help', description: 'Show the help of the command.'},
  {word: '--help-all', description: 'Show the complete help of the command.'},
];

function completeFlag(current: string, {flags, given}: Line): Completion {
  const offered = flags
    .filter((flag) => flag.repeatable || !spellings(flag).some((spelling) => given.has(spelling)))
    .map(({name, summary}) => ({word: `--${name}`, description: summary}));
  return {kind: 'words', suggestions: matching([...offered, ...HELP_FLAGS], current)};
}

function completeCommand(current: string, topic: string, commands: readonly CompletedCommand[]): Completion {
  const beginning = topic === '' ? '' : `${topic}:`;
  const words = commands
    .filter(({id}) => id.startsWith(beginning))
    .map(({id, summary}) => ({word: id.slice(beginning.length), description: summary}));
  return {kind: 'words', suggestions: matching(words, current)};
}

function matching(suggestions: readonly Suggestion[], current: string): Suggestion[] {
  return suggestions.filter(({word}) => word.startsWith(current));
}
