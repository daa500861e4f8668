import {wrap} from '../wrap.ts';

/** A term and its meaning. */
export interface Term {
  term: string;
  meaning: string;
}

export const INDENT = '  ';
/** No text of help is wider, however wide the screen is. */
const WIDEST = 80;
/** Of a narrower screen each line is cut by the terminal. */
const NARROWEST = 40;
/** If a term is longer, its meaning is on the next line. */
const LONGEST_TERM = 28;

/** The columns for help on a screen of this width. */
export function helpWidth(width: number): number {
  return Math.min(Math.max(width, NARROWEST), WIDEST);
}

/** Paragraphs, indented and wrapped once, each ending with its own newline. */
export function renderParagraphs(texts: readonly string[], width: number): string[] {
  return texts.map((text) => `${indented(wrap(text, width - INDENT.length), INDENT)}\n`);
}

/** Terms in one column and their meanings beside them. On a narrow screen the column is narrow, too. */
export function renderTerms(terms: readonly Term[], width: number): string {
  const room = width - INDENT.length;
  const most = Math.min(LONGEST_TERM, Math.floor(room * 0.4));
  const lengths = terms.map(({term}) => term.length).filter((length) => length <= most);
  const longest = Math.max(4, ...lengths);
  return terms.map((term) => `${renderTerm(term, longest, room)}\n`).join('');
}

function renderTerm({term, meaning}: Term, longest: number, room: number): string {
  const lines = wrap(meaning, room - longest - INDENT.length);
  const column = ' '.repeat(INDENT.length + longest + INDENT.length);
  if (meaning === '') return indented(wrap(term, room), INDENT);
  if (term.length > longest) return `${indented(wrap(term, room), INDENT)}\n${indented(lines, column)}`;
  return indented(lines, column).replace(column, `${INDENT}${term.padEnd(longest)}${INDENT}`);
}

export function indented(lines: readonly string[], indent: string): string {
  return lines.map((line) => `${indent}${line}`).join('\n');
}
