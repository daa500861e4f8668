/**
 * Text from the database and the network is hostile until it is sanitised here: a job's name may hold an escape
 * sequence that changes the terminal's title, contents or settings.
 */

/**
 * C0 and C1 controls, DEL, line and paragraph separators, the marks that reorder text on screen, and what has no width: it
 * makes two different names look alike, and tags can hide a text.
 */
const HARMFUL =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const HARMFUL_IN_BLOCK =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const UNUSUAL = /[^ -~]/;

/** True for printable ASCII, as most texts are: nothing in it needs sanitising. */
export function isPlain(text: string): boolean {
  return !UNUSUAL.test(text);
}

function visible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** For one line: line breaks and tabs become spaces, other control characters a visible escape. */
export function sanitizeLine(text: string): string {
  if (isPlain(text)) return text;
  return text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(HARMFUL, visible)
    .toWellFormed();
}

/** For several lines: keeps `\n` and tabs, turns `\r\n` into `\n`, other control characters become a visible escape. */
export function sanitizeBlock(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(HARMFUL_IN_BLOCK, visible).toWellFormed();
}

/** The same JSON without raw control characters and marks: JSON.stringify does not escape DEL and C1. */
export function sanitizeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu,
    (character) =>
      Array.from({length: character.length}, (_, at) => character.charCodeAt(at))
        .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
        .join(''),
  );
}
