import type {CompletedCommand, CompletedFlag, Values} from './completed-commands.ts';

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
  /** Running jobs, newest first, and the sites that the configuration names. */
  jobs: () => Promise<Suggestion[]>;
  sites: () => Promise<Suggestion[]>;
}

/** What completes the word at the cursor. */
export async function complete(options: CompleteOptions): Promise<Completion> {
  const current = options.words.at(-1) ?? '';
  const line = readLine(options);
  if (line.pending !== null) return completeValues(line.pending, current, '', options, line);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined)
    return completeValues(valuesOf(line.flags, flag), value!, `${flag}=`, options, line);
  if (current.startsWith('-')) return completeFlag(current, line);
  if (line.command !== null) return completeValues(line.command.argument, current, '', options, line);
  return completeCommand(current, line.topic, options.commands);
}

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

async function completeValues(
  values: Values | null,
  current: string,
  prefix: string,
  options: CompleteOptions,
  {args}: Line,
): Promise<Completion> {
  switch (values?.kind) {
    case 'files':
    case 'directories':
      return {kind: values.kind, suggestions: []};
    case 'words':
      return {kind: 'words', suggestions: matching(values.words.map(plain), current, prefix)};
    case 'list': {
      const given = current.split(',').slice(0, -1);
      const rest = values.words.filter((word) => !given.includes(word));
      const words = rest.map((word) => plain([...given, word].join(',')));
      return {kind: 'list', suggestions: matching(words, current, prefix)};
    }
    case 'jobs': {
      const jobs = (await options.jobs()).filter(({word}) => !args.includes(word));
      return {kind: 'words', suggestions: matching(jobs, current, prefix)};
    }
    case 'sites':
      return {kind: 'words', suggestions: matching(await options.sites(), current, prefix)};
    default:
      return {kind: 'words', suggestions: []};
  }
}

function completeFlag(current: string, {flags, given}: Line): Completion {
  const offered = flags
    .filter((flag) => flag.repeatable || !spellings(flag).some((spelling) => given.has(spelling)))
    .map(({name, summary}) => ({word: `--${name}`, description: summary}));
  const help = {word: '--help', description: 'Show the help of the command.'};
  return {kind: 'words', suggestions: matching([...offered, help], current, '')};
}

function completeCommand(current: string, topic: string, commands: readonly CompletedCommand[]): Completion {
  const beginning = topic === '' ? '' : `${topic}:`;
  const words = commands
    .filter(({id}) => id.startsWith(beginning))
    .map(({id, summary}) => ({word: id.slice(beginning.length), description: summary}));
  return {kind: 'words', suggestions: matching(words, current, '')};
}

function matching(suggestions: readonly Suggestion[], current: string, prefix: string): Suggestion[] {
  return suggestions
    .filter(({word}) => word.startsWith(current))
    .map(({word, description}) => ({word: `${prefix}${word}`, description}));
}

function plain(word: string): Suggestion {
  return {word, description: ''};
}
