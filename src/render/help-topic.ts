/** A term and its meaning. */
export interface Term {
  term: string;
  meaning: string;
}

/** A page of `atomctl help`, and a section of the manual page. */
export interface HelpTopic {
  title: string;
  /** Paragraphs before the terms, and after them. */
  before: readonly string[];
  terms: readonly Term[];
  after?: readonly string[];
}

const INDENT = '  ';
const WIDEST = 80;
/** If a term is longer, its meaning is on the next line. */
const LONGEST_TERM = 28;

/** The topic as text, wrapped for a screen of this width. */
export function renderHelpTopic({title, before, terms, after = []}: HelpTopic, width: number): string {
  const room = Math.min(width, WIDEST) - INDENT.length;
  const longest = Math.max(...terms.map(({term}) => term.length).filter((length) => length <= LONGEST_TERM));
  const paragraphs = (texts: readonly string[]) =>
    texts.map((text) => `${indented(wrap(text, room), INDENT)}\n`);
  const list = terms.map((term) => renderTerm(term, longest, room));
  return [
    `${title.toUpperCase()}\n`,
    ...paragraphs(before),
    `${list.join('\n')}\n`,
    ...paragraphs(after),
  ].join('\n');
}

function renderTerm({term, meaning}: Term, longest: number, room: number): string {
  const lines = wrap(meaning, room - longest - INDENT.length);
  const column = ' '.repeat(INDENT.length + longest + INDENT.length);
  if (term.length > longest) return [`${INDENT}${term}`, indented(lines, column)].join('\n');
  return indented(lines, column).replace(column, `${INDENT}${term.padEnd(longest)}${INDENT}`);
}

function indented(lines: readonly string[], indent: string): string {
  return lines.map((line) => `${indent}${line}`).join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
