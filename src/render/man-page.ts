import type {HelpTopic, Term} from './help-topic.ts';

/** A command as the manual page describes it. */
export interface ManualCommand {
  /** The line that shows how it is typed, without the program's name. */
  usage: string;
  summary: string;
  /** Paragraphs. */
  description: readonly string[];
  /** Its own flags, not those that all commands share. */
  flags: readonly Term[];
  /** What each example is for, and its command line. */
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

/** The manual page in troff's man macros. It bears no date, so that the same commands make the same page. */
export function renderManPage(manual: Manual): string {
  const {program, version, purpose} = manual;
  const lines = [
    `.TH ${program.toUpperCase()} 1 "" ${quoted(`${program} ${version}`)} "User Commands"`,
    // Lines ragged, words whole: commands and flags are to be copied.
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

/** The command line stands as it is typed, lines unbroken. */
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

/** An argument of a macro. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

/** Text that troff takes as it is: it may begin with a dot, and its hyphens can be copied into a shell. */
function escaped(text: string): string {
  return (
    text
      .replaceAll('\\', '\\e')
      .replaceAll('-', '\\-')
      // Long lists of values have no spaces: they may be broken after a comma.
      .replaceAll(/,(?=\S)/g, ',\\:')
      .replaceAll(/^(?=[.'])/gm, '\\&')
  );
}
