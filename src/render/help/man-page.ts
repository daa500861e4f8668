import type {Term} from './terms.ts';
import type {HelpTopic} from './topic.ts';

/** A command as the manual page describes it. */
export interface ManualCommand {
  /** The usage line, without the program's name. */
  usage: string;
  summary: string;
  /** Paragraphs. */
  description: readonly string[];
  /** Its own flags, not those that all commands share. */
  flags: readonly Term[];
  /** Each example's command line and its purpose. */
  examples: readonly Term[];
}

export interface Manual {
  program: string;
  version: string;
  /** What the program does, in half a sentence. */
  purpose: string;
  description: readonly string[];
  commands: readonly ManualCommand[];
  sharedFlags: readonly Term[];
  topics: readonly HelpTopic[];
  files: readonly Term[];
  seeAlso: readonly string[];
}

/** The manual page in troff's man macros. It has no date, so that the same commands give the same page. */
export function renderManPage(manual: Manual): string {
  const {program, version, purpose} = manual;
  const lines = [
    `.TH ${program.toUpperCase()} 1 "" ${quoted(`${program} ${version}`)} "User Commands"`,
    // No justification and no hyphenation, so that commands and flags can be copied.
    '.ad l',
    '.nh',
    '.SH NAME',
    escaped(`${program} - ${purpose}`),
    '.SH SYNOPSIS',
    `.B ${program}`,
    escaped('COMMAND [ARGUMENT...] [FLAG...]'),
    '.SH DESCRIPTION',
    ...paragraphs(manual.description),
    '.SH COMMANDS',
    ...manual.commands.flatMap((command) => commandLines(command, program)),
    '.SH COMMON FLAGS',
    ...manual.sharedFlags.flatMap(termLines),
    ...manual.topics.flatMap(topicLines),
    '.SH FILES',
    ...manual.files.flatMap(termLines),
    '.SH SEE ALSO',
    escaped(manual.seeAlso.join(', ')),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(command: ManualCommand, program: string): string[] {
  const {usage, summary, description, flags, examples} = command;
  return [
    `.SS ${quoted(`${program} ${usage}`)}`,
    ...paragraphs([summary, ...description]),
    ...flags.flatMap(termLines),
    ...examples.flatMap(exampleLines),
  ];
}

/** The command line is printed as it is typed, without line breaks. */
function exampleLines({term, meaning}: Term): string[] {
  const heading = meaning === '' ? [] : paragraphs([meaning]);
  return [...heading, '.PP', '.RS', '.nf', escaped(term), '.fi', '.RE'];
}

function topicLines({title, before, terms, after = []}: HelpTopic): string[] {
  return [
    `.SH ${quoted(title.toUpperCase())}`,
    ...paragraphs(before),
    ...terms.flatMap(termLines),
    ...paragraphs(after),
  ];
}

function termLines({term, meaning}: Term): string[] {
  return ['.TP', `.B ${quoted(term)}`, escaped(meaning)];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text) => ['.PP', escaped(text)]);
}

/** Quotes an argument of a macro. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

/** Escapes text for troff: it may begin with a dot, and its hyphens can be copied into a shell. */
function escaped(text: string): string {
  return (
    text
      .replaceAll('\\', '\\e')
      .replaceAll('-', '\\-')
      // Long lists of values have no spaces, so a line may break after a comma.
      .replaceAll(/,(?=\S)/g, ',\\:')
      .replaceAll(/^(?=[.'])/gm, '\\&')
  );
}
