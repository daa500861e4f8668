/**
 * The ways in which a text can be read: as it stands, and with what is encoded in it decoded, since a name in a URL, in
 * HTML, in JSON or in other case is still that name.
 */

/** A text with the place of each of its units in the original. */
export interface Reading {
  text: string;
  /** Of each unit, where it starts and ends in the original. */
  starts: readonly number[];
  ends: readonly number[];
}

/** What was encoded more often is not decoded. */
const MOST_NESTED = 3;

const HTML = '&(?:#\\d{1,7}|#x[\\da-f]{1,6}|[a-z]{2,8});';
const CODE = '\\\\u(?:[\\da-f]{4}|\\{[\\da-f]{1,6}\\})';
const SLASH = '\\\\[nrtbf\\\\/"\']';

/** One character in UTF-8, each byte after one of these marks; or a byte that is no UTF-8. */
function bytesAfter(mark: string): string {
  const next = `${mark}[89ab][\\da-f]`;
  return `${mark}[cd][\\da-f]${next}|${mark}e[\\da-f](?:${next}){2}|${mark}f[0-7](?:${next}){3}|${mark}[\\da-f]{2}`;
}

/** A backslash may also stand before a name (`C:\nancy`) or before another one, so a text is read with and without each. */
const DECODED = [
  `${bytesAfter('%')}|${HTML}`,
  `${bytesAfter('(?:%|\\\\x)')}|${HTML}|${CODE}`,
  `${bytesAfter('(?:%|\\\\x)')}|${HTML}|${CODE}|${SLASH}`,
].map((pattern) => new RegExp(pattern, 'gi'));

/** Every reading of a text, the text itself first; most texts have only that. */
export function readings(text: string): Reading[] {
  const places = Array.from({length: text.length}, (_, at) => at);
  const asIs = {text, starts: places, ends: places.map((at) => at + 1)};
  const found: Reading[] = [asIs];
  for (const pattern of DECODED) {
    let reading: Reading = asIs;
    for (let depth = 0; depth < MOST_NESTED; depth += 1) {
      const decoded = decode(reading, pattern);
      if (decoded.text === reading.text) break;
      reading = decoded;
      if (found.every((other) => other.text !== decoded.text)) found.push(decoded);
    }
  }
  return found;
}

function decode(reading: Reading, pattern: RegExp): Reading {
  const parts: string[] = [];
  const [starts, ends]: [number[], number[]] = [[], []];
  let last = 0;
  const copy = (to: number) => {
    parts.push(reading.text.slice(last, to));
    for (let at = last; at < to; at += 1) {
      starts.push(reading.starts[at]!);
      ends.push(reading.ends[at]!);
    }
  };
  for (const {0: encoded, index} of reading.text.matchAll(pattern)) {
    copy(index);
    last = index + encoded.length;
    const decoded = decodeOne(encoded);
    parts.push(decoded);
    for (let unit = 0; unit < decoded.length; unit += 1) {
      starts.push(reading.starts[index]!);
      ends.push(reading.ends[last - 1]!);
    }
  }
  copy(reading.text.length);
  return {text: parts.join(''), starts, ends};
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  szlig: 'ß',
};
const CONTROLS: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', f: '\f'};

function decodeOne(encoded: string): string {
  if (/^(?:%|\\x)/i.test(encoded)) return decodeBytes(encoded);
  const [, decimal, hex, unicode] =
    /^&#(\d+);|^&#x([\da-f]+);|^\\u\{?([\da-f]+)/i.exec(encoded)?.map((part) => part ?? '') ?? [];
  if (decimal) return characterOf(Number(decimal), encoded);
  if (hex || unicode) return characterOf(Number.parseInt((hex || unicode)!, 16), encoded);
  if (encoded.startsWith('\\')) return CONTROLS[encoded[1]!.toLowerCase()] ?? encoded[1]!;
  const name = encoded.slice(1, -1);
  // Marks on letters are not compared, so the letter is enough.
  const [, letter] =
    /^([a-z]{1,2})(?:acute|grave|circ|uml|tilde|cedil|ring|slash|caron|lig)$/i.exec(name) ?? [];
  return NAMED[name.toLowerCase()] ?? letter ?? encoded;
}

function decodeBytes(encoded: string): string {
  const bytes = Buffer.from(encoded.replace(/%|\\x/gi, ''), 'hex');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

function characterOf(code: number, otherwise: string): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}

/**
 * The reading without what does not make another name: case, accents, width, marks without width, apostrophes. What
 * separates words is one space, a line break stays.
 */
export function fold(reading: Reading): Reading {
  const {text} = reading;
  const parts: string[] = [];
  const [starts, ends]: [number[], number[]] = [[], []];
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    const next = at + character.length;
    const folded = foldCharacter(character);
    const isRepeated = folded === ' ' && parts.at(-1) === ' ';
    // An accent of its own goes with its letter.
    if (ends.length > 0 && (isRepeated || (folded === '' && MARK.test(character))))
      ends[ends.length - 1] = reading.ends[next - 1]!;
    if (folded !== '' && !isRepeated) {
      parts.push(folded);
      for (let unit = 0; unit < folded.length; unit += 1) {
        starts.push(reading.starts[at]!);
        ends.push(reading.ends[next - 1]!);
      }
    }
    at = next;
  }
  return {text: parts.join(''), starts, ends};
}

/** A name as `fold` leaves it in a text. */
export function foldName(name: string): string {
  return [...name.replace(/[\r\n]/g, ' ')].map(foldCharacter).join('').replace(/ {2,}/g, ' ').trim();
}

const SEPARATOR = /^[\s_+.,-]$/;
const MARK = /^[\p{M}\p{Cf}]$/u;
const IGNORED = /[\p{M}\p{Cf}\p{Cc}'’ʼ]/gu;
const folds = new Map<string, string>();

function foldCharacter(character: string): string {
  if (character === '\n') return '\n';
  let folded = folds.get(character);
  if (folded === undefined) {
    folded = SEPARATOR.test(character) ? ' ' : lettersOf(character);
    folds.set(character, folded);
  }
  return folded;
}

/** Upper case first: ß is SS in it. */
function lettersOf(character: string): string {
  const letters = character.normalize('NFKD').replace(IGNORED, '');
  return letters.toUpperCase().toLowerCase().normalize('NFKD').replace(IGNORED, '').replace(/\s+/g, ' ');
}
