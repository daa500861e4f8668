import {paint, type Screen} from '../screen.ts';
import {wrap} from '../wrap.ts';
import {helpWidth, INDENT, renderParagraphs, renderTerms, type Term} from './terms.ts';

/** What help says of a command. */
export interface CommandHelp {
  summary: string;
  /** With the program's name. */
  usage: string;
  /** Each example's command line and its purpose. */
  examples: readonly Term[];
  /** Arguments and flags by their headings. */
  described: readonly {title: string; terms: readonly Term[]}[];
  /** Of short help: what else there is, by groups, only the names. */
  otherFlags: readonly Term[];
  /** Paragraphs; empty in short help. */
  description: readonly string[];
  /** Where to read more: lines of their own. */
  more: readonly string[];
}

/** The help of a command for this screen. */
export function renderCommandHelp(help: CommandHelp, screen: Screen): string {
  const width = helpWidth(screen.width);
  const section = (title: string, body: string) =>
    body === '' ? [] : [`${paint(screen, 'bold', title)}\n${body}`];
  return [
    `${wrap(help.summary, width).join('\n')}\n`,
    ...section('USAGE', commandLine(help.usage, width)),
    ...section('EXAMPLES', help.examples.map((example) => renderExample(example, width)).join('')),
    ...help.described.flatMap(({title, terms}) => section(title, renderTerms(terms, width))),
    ...section('OTHER FLAGS', renderTerms(help.otherFlags, width)),
    ...section('DESCRIPTION', renderParagraphs(help.description, width).join('\n')),
    ...(help.more.length === 0 ? [] : [`${help.more.flatMap((line) => wrap(line, width)).join('\n')}\n`]),
  ].join('\n');
}

/** Its purpose, and below it the command line. */
function renderExample({term, meaning}: Term, width: number): string {
  const purpose = meaning === '' ? [] : renderParagraphs([meaning], width);
  return `${purpose.join('')}${commandLine(term, width, INDENT.repeat(2))}`;
}

/** Continued on the next line where it does not fit; not inside quotes. */
function commandLine(text: string, width: number, indent = INDENT): string {
  const lines = [indent];
  for (const word of text.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? []) {
    const line = lines.at(-1)!;
    const space = line.trim() === '' ? '' : ' ';
    if (space === '' || line.length + 1 + word.length + 2 <= width)
      lines[lines.length - 1] = `${line}${space}${word}`;
    else lines.push(`${indent}${INDENT}${word}`);
  }
  return `${lines.join(' \\\n')}\n`;
}

/** What help says of the program, or of a topic of commands. */
export interface OverviewHelp {
  purpose: string;
  usage: string;
  /** The commands of each topic. */
  commands: readonly (readonly Term[])[];
  more: readonly Term[];
  /** The last line: the command to begin with; null in the help of a topic. */
  begin: string | null;
}

/** The list of commands for this screen. */
export function renderOverviewHelp(
  {purpose, usage, commands, more, begin}: OverviewHelp,
  screen: Screen,
): string {
  const width = helpWidth(screen.width);
  const longest = Math.max(...commands.flat().map(({term}) => term.length));
  const aligned = (terms: readonly Term[]) =>
    terms.map(({term, meaning}) => ({term: term.padEnd(longest), meaning}));
  const heading = (title: string) => `${paint(screen, 'bold', title)}\n`;
  return [
    `${wrap(purpose, width).join('\n')}\n`,
    `${heading('USAGE')}${INDENT}${usage}\n`,
    `${heading('COMMANDS')}${commands.map((terms) => renderTerms(aligned(terms), width)).join('\n')}`,
    `${heading('MORE')}${renderTerms(more, width)}`,
    ...(begin === null ? [] : [`${begin}\n`]),
  ].join('\n');
}
