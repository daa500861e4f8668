/**
 * Text from the database and the network is hostile until it is sanitised here: a job's name may hold an escape
 * sequence that changes the terminal's title, contents or settings.
 */

/** C0 and C1 controls, DEL, line and paragraph separators, and the marks that reorder text on screen. */
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const HARMFUL_IN_BLOCK =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const UNUSUAL = /[^ -~]/;

/** True for printable ASCII, as most texts are: nothing in it needs sanitising. */
export function isPlain(text: string): boolean {
  return !UNUSUAL.test(text);
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
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

/** The same JSON without raw control characters: JSON.stringify does not escape DEL and C1. */
export function sanitizeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
