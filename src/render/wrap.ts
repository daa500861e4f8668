import {stripVTControlCharacters} from 'node:util';

/** A command as messages name it, which is copied as a line. */
const COMMAND =
  /(?<![:\w])(?:atomctl [a-z]+(?::[a-z-]+)?|kill|systemctl [a-z-]+)(?: (?:--as (?:completed|error)|--?[A-Za-z][\w-]*|\d[\d,]*|[A-Z]{2,}))+|(?<![:\w])atomctl [a-z]+:[a-z-]+/g;
/** Stands for a space that is no place to break. */
const BOUND = '\u00a0';

/**
 * Breaks a text at its spaces into lines of this width; each line begins as the text does, and all but the first then with
 * `hang`. A word that is wider has a line of its own and stays whole: a part of a path or of an option cannot be copied. A command
 * stays whole if a line can hold it.
 */
export function wrap(text: string, width: number, hang = ''): string[] {
  const [, lead, rest] = /^( *)(.*)$/s.exec(text)!;
  const isWide = (command: string) => columnsOf(command) > width - hang.length - lead!.length;
  const bound = rest!.replace(COMMAND, (command) =>
    isWide(command) ? command : command.replaceAll(' ', BOUND),
  );
  const [first, ...words] = bound.split(/[ \t\n]+/).map((word) => word.replaceAll(BOUND, ' '));
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
