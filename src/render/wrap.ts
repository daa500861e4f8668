/** Breaks a text at its spaces; a word that is wider than the line is cut. */
export function wrap(text: string, width: number): string[] {
  const [, lead, rest] = /^( *)(.*)$/s.exec(text)!;
  const lines = [lead!];
  for (const word of rest!.split(/\s+/).flatMap((each) => cut(each, width - lead!.length))) {
    const line = lines.at(-1)!;
    if (line.trim() === '') lines[lines.length - 1] = `${line}${word}`;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`${lead}${word}`);
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
