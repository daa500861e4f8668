/** More of a statement is not read: it may be as long as what is imported. */
export const READ_CHARACTERS = 4000;

/** One word, comment, name, text or other character of MySQL's language. */
const TOKEN =
  /(?<comment>\/\*.*?\*\/|(?:--(?=\s|$)|#)[^\n]*)|(?<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")|`(?:[^`]|``)*`|(?<hex>0[xb][0-9a-f]+\b)|(?<word>[\w$\u0080-\uffff]+)|(?<open>['"`]|\/\*)|./gis;
/** A server without backslash escapes takes the text to end here. */
const MAY_END_EARLIER = /\\["']/;

const MASK = "'***'";
const SHOWN = 200;

/**
 * The beginning of a statement in one line, without its texts, of which any may be secret, and without comments. Where it is not sure
 * which part of it is text, no more is shown than is sure.
 */
export function shownQuery(statement: string): string {
  let [shown, keyword] = ['', ''];
  for (const {0: token, groups} of statement.matchAll(TOKEN)) {
    const {comment, text, hex, word, open} = groups!;
    if (open !== undefined && statement.length < READ_CHARACTERS) return `${keyword} …`.trim();
    if (open !== undefined || (text !== undefined && MAY_END_EARLIER.test(text))) {
      shown += `${MASK} …`;
      break;
    }
    keyword ||= word ?? '';
    shown += comment !== undefined ? ' ' : text !== undefined || hex !== undefined ? MASK : token;
  }
  const line = shown.replace(/\s+/g, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}
