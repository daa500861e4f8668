/** A command line up to the cursor, as bash reads it. */
export interface ShellLine {
  /** Without their quotes; the last one, which may be empty, is completed. */
  words: string[];
  /** The last one as it was typed. */
  raw: string;
  /** The quote that is still open at the cursor, or none. */
  quote: '' | "'" | '"';
}

/** Reads a line of bash: quotes and backslashes, `>` and `<` as words of their own. It expands nothing. */
export function readShellLine(line: string): ShellLine {
  const words = [''];
  let [raw, quote, isWord] = ['', '' as ShellLine['quote'], false];
  for (let index = 0; index < line.length; index += 1) {
    const [char, next] = [line[index]!, line[index + 1] ?? ''];
    const isSpace = quote === '' && /\s/.test(char);
    if (isSpace || (quote === '' && /[<>]/.test(char))) {
      if (isWord) words.push('');
      if (!isSpace) words.splice(-1, 1, char, '');
      [raw, isWord] = ['', false];
      continue;
    }
    isWord = true;
    raw += char;
    if (char === quote) quote = '';
    else if (quote === '' && (char === "'" || char === '"')) quote = char;
    else if (char === '\\' && (quote === '' || (quote === '"' && /[$`"\\]/.test(next)))) {
      words[words.length - 1] += next;
      raw += next;
      index += 1;
    } else words[words.length - 1] += char;
  }
  return {words, raw, quote};
}

/**
 * What bash is to put in place of `replaced`, the end of the word as it was typed, to complete it to `word`; null if the
 * word does not begin like that.
 */
export function bashReplacement(word: string, {raw, quote}: ShellLine, replaced: string): string | null {
  if (!raw.endsWith(replaced)) return null;
  const kept = readShellLine(raw.slice(0, raw.length - replaced.length)).words.at(-1)!;
  if (!word.startsWith(kept)) return null;
  return quoted(word.slice(kept.length), quote);
}

/** bash closes an open quote itself. */
function quoted(text: string, quote: ShellLine['quote']): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  if (quote === '"') return text.replace(/[$`"\\]/g, '\\$&');
  return text.replace(/[^\p{L}\p{N}_@%+=:,./-]/gu, '\\$&');
}
