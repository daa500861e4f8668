import {shortestFloat} from './serialize.ts';
import type {PhpArray, PhpValue} from './value.ts';

/** json_decode reads at most 512 levels, the innermost value counted as one; deeper JSON decodes to null. */
const MAX_DEPTH = 511;
const PHP_INT_MAX = 2n ** 63n - 1n;
const PHP_INT_MIN = -(2n ** 63n);

const WHITESPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;

/**
 * Reads JSON as PHP's `json_decode($json, true)` does. `JSON.parse` does not help: it moves integer-like keys to the
 * front and makes `1.0` and `1` the same, but PHP's serialize() distinguishes them.
 * @throws SyntaxError if PHP's json_decode refuses the text
 */
export function readPhpJson(text: string): PhpValue {
  return new Reader(text).document();
}

/** What json_encode escapes by default: quotes, backslashes, slashes, control characters, all beyond ASCII. */
const ESCAPED = /["\\/\u0000-\u001f\u0080-\uffff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  ...{'"': '\\"', '\\': '\\\\', '/': '\\/'},
  ...{'\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'},
};

/**
 * A value as PHP's `json_encode` writes it without flags, with `serialize_precision = -1`, the default since PHP 7.1.
 * An array whose keys are 0, 1, 2 … in order is a list, also if JSON had it as an object before.
 * @throws SyntaxError for a float that json_encode refuses: an infinite one
 */
export function writePhpJson(value: PhpValue): string {
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number') return jsonFloat(value);
  if (!(value instanceof Map)) return String(value);
  const entries = [...value];
  if (entries.every(([key], index) => key === String(index)))
    return `[${entries.map(([, item]) => writePhpJson(item)).join(',')}]`;
  return `{${entries.map(([key, item]) => `${jsonString(key)}:${writePhpJson(item)}`).join(',')}}`;
}

function jsonString(text: string): string {
  const escaped = text.replace(
    ESCAPED,
    (unit) => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}

/** `2.0` is written `2`, and reads back as an integer. */
function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) throw new SyntaxError('JSON has no infinite number');
  return shortestFloat(value).replace('E', 'e');
}

class Reader {
  readonly #text: string;
  #position = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PhpValue {
    const value = this.#value();
    this.#match(WHITESPACE);
    if (this.#position < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(): PhpValue {
    if (this.#take('{')) return this.#nested(() => this.#object());
    if (this.#take('[')) return this.#nested(() => this.#list());
    const string = this.#string();
    if (string !== null) return string;
    const literal = this.#match(LITERAL);
    if (literal !== null) return JSON.parse(literal[0]) as boolean | null;
    const number = this.#match(NUMBER);
    if (number !== null) return phpNumber(number[0], number[1] !== undefined || number[2] !== undefined);
    throw this.#unexpected();
  }

  #object(): PhpArray {
    const object: PhpArray = new Map();
    if (this.#take('}')) return object;
    do {
      const key = this.#string();
      if (key === null) throw this.#unexpected();
      this.#expect(':');
      // A repeated key keeps its first place and its last value: so does a Map, so does PHP.
      object.set(key, this.#value());
    } while (this.#take(','));
    this.#expect('}');
    return object;
  }

  #list(): PhpArray {
    const list: PhpArray = new Map();
    if (this.#take(']')) return list;
    do list.set(String(list.size), this.#value());
    while (this.#take(','));
    this.#expect(']');
    return list;
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new SyntaxError(`JSON nested deeper than ${MAX_DEPTH}`);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  /** The string at the current position; null if it is something else. */
  #string(): string | null {
    this.#match(WHITESPACE);
    const match = this.#match(STRING);
    if (match === null) return null;
    // JSON.parse checks the escapes and refuses raw control characters.
    const string = JSON.parse(match[0]) as string;
    if (/\p{Surrogate}/u.test(string)) throw new SyntaxError('JSON with half a surrogate pair');
    return string;
  }

  #take(mark: string): boolean {
    this.#match(WHITESPACE);
    const found = this.#text.startsWith(mark, this.#position);
    if (found) this.#position += mark.length;
    return found;
  }

  #expect(mark: string): void {
    if (!this.#take(mark)) throw this.#unexpected();
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#position = pattern.lastIndex;
    return match;
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`Unexpected text in JSON at ${this.#position}`);
  }
}

/** PHP's number: an int if it is written as one and fits in 64 bits, otherwise a float. */
function phpNumber(text: string, isFloat: boolean): bigint | number {
  if (isFloat) return Number(text);
  const int = BigInt(text);
  return int >= PHP_INT_MIN && int <= PHP_INT_MAX ? int : Number(text);
}
