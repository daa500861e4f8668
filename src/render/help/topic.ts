import {helpWidth, renderParagraphs, renderTerms, type Term} from './terms.ts';

/** A page of `atomctl help`, and a section of the manual page. */
export interface HelpTopic {
  title: string;
  /** Paragraphs before the terms, and after them. */
  before: readonly string[];
  terms: readonly Term[];
  after?: readonly string[];
}

/** The topic as text, wrapped for a screen of this width. */
export function renderHelpTopic({title, before, terms, after = []}: HelpTopic, width: number): string {
  const columns = helpWidth(width);
  return [
    `${title.toUpperCase()}\n`,
    ...renderParagraphs(before, columns),
    renderTerms(terms, columns),
    ...renderParagraphs(after, columns),
  ].join('\n');
}
