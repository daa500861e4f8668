import {stripVTControlCharacters} from 'node:util';

/**
 * Breaks a text at its spaces into lines of this width; each line begins as the text does, and all but the first then with
 * `hang`. A word that is wider has a line of its own and stays whole: a part of a path or of an option cannot be copied.
 */
export function wrap(text: string, width: number, hang = ''): string[] {
  const [, lead, rest] = /^( *)(.*)$/s.exec(text)!;
  const [first, ...words] = rest!.split(/\s+/);
  const below = lead + hang;
  const lines = [lead + first!];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (columnsOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(below + word);
  }
  return lines;
}

/** Before the further lines of a sentence, so that the next one is seen to begin. */
const HANG = '  ';

/** Sentences, each in a line of its own, that of those wrapped that are wider than the screen; the others stay as they are. */
export function wrapSentences(text: string, width: number): string {
  if (width === Number.POSITIVE_INFINITY) return text;
  return text
    .split('\n')
    .flatMap((line) => (columnsOf(line) <= width ? [line] : wrap(line, width, HANG)))
    .join('\n');
}

/** The columns that a text takes; colours take none. */
export function columnsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
