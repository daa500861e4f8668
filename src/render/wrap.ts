/** Breaks a text at its spaces; a word that is wider than the line is cut. Each line begins as the text does. */
export function wrap(text: string, width: number): string[] {
  const [, lead, rest] = /^( *)(.*)$/s.exec(text)!;
  const room = width - lead!.length;
  const lines = fillLines(
    rest!.split(/\s+/).flatMap((word) => cut(word, room)),
    room,
  );
  return lines.length === 0 ? [lead!] : lines.map((line) => `${lead}${line}`);
}

/** Joins words into lines of this width; a word that is wider has a line of its own. */
export function fillLines(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function cut(word: string, width: number): string[] {
  // Whole characters: half of one would not be text.
  const characters = [...word];
  const parts: string[] = [];
  for (let start = 0; start < characters.length; start += width)
    parts.push(characters.slice(start, start + width).join(''));
  return parts;
}
