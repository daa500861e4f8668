import {hostsOf, type Kind, LABELS, type Label, type NameKind, PATTERNS, type Pattern} from './patterns.ts';
import {fold, foldName, type Reading, readings} from './readings.ts';

/** A name or a secret that the report must not show. */
export interface KnownName {
  label: Label;
  text: string;
  /** Names of one person or thing share it, and their number; default: the name itself. */
  identity?: string;
}

export interface RedactorOptions {
  names: readonly KnownName[];
  /** What is left as it is. */
  kept: readonly NameKind[];
}

/** How many names and secrets were replaced, each counted once. */
export type Replaced = Record<Kind, number>;

/** Every installation has these words, so they tell nothing; they are replaced only where they stand for a user. */
const PUBLIC_WORDS = new Set(['atom', 'localhost', 'root', 'www data', '127 0 0 1', '0 0 0 0', '1']);
/** A shorter name is a part of many words, and is replaced only as a word. */
const LONG = 5;
/** Of a longer name the spaces may be missing, too: `AdaSmithFonds`. */
const LONG_WITHOUT_SPACES = 8;
const SHORTEST = 2;

interface FoldedName {
  folded: string;
  label: Label;
  identity: string;
}

/** A part of the text that is replaced. */
interface Hit {
  start: number;
  end: number;
  label: Label;
  identity: string;
}

/**
 * Replaces names and secrets in texts by placeholders (`user-1`), which are the same for the same name in all texts. A
 * name is found in any case, in URLs, in HTML and in JSON, with other spaces, and broken over lines.
 */
export class Redactor {
  readonly #names = new Map<string, FoldedName[]>();
  readonly #known = new Map<string, FoldedName>();
  readonly #patterns: readonly Pattern[];
  readonly #kept: ReadonlySet<Kind>;
  /** By label: the number of each identity. */
  readonly #numbers = new Map<Label, Map<string, number>>();

  constructor({names, kept}: RedactorOptions) {
    this.#kept = new Set(kept);
    for (const name of names) this.#learn(name);
    for (const list of this.#names.values()) list.sort((a, b) => b.folded.length - a.folded.length);
    this.#patterns = [...hostsOf(domainsOf(names)), ...PATTERNS].filter(({label}) => this.#replaces(label));
  }

  #replaces(label: Label): boolean {
    return !this.#kept.has(LABELS[label]);
  }

  #learn({label, text, identity}: KnownName): void {
    const folded = foldName(text);
    if (folded.length < SHORTEST || PUBLIC_WORDS.has(folded) || !this.#replaces(label)) return;
    // A name of two kinds is one: the first.
    if (this.#known.has(folded)) return;
    const name = {folded, label, identity: identity ?? folded};
    this.#known.set(folded, name);
    this.#names.set(folded[0]!, [...(this.#names.get(folded[0]!) ?? []), name]);
  }

  /** What stands for a name that is the whole value of a field, however short it is. */
  field(label: Label, text: string): string {
    if (!this.#replaces(label)) return text;
    const folded = foldName(text);
    const known = this.#known.get(folded);
    return this.#placeholder(known?.label ?? label, known?.identity ?? folded);
  }

  /** The text without names and secrets. Line breaks stay, so that there are as many lines as before. */
  redact(text: string): string {
    const hits = merged(this.#hits(text));
    let [redacted, last] = ['', 0];
    for (const {start, end, label, identity} of hits) {
      const name = this.#placeholder(label, identity);
      redacted += text.slice(last, start) + name + (text.slice(start, end).match(/\n/g) ?? []).join('');
      last = end;
      // In a table the next column stays in its place.
      const [gap = ''] = / {2,}(?=\S)/y.exec(text.slice(end, end + 200)) ?? [];
      if (gap === '') continue;
      redacted += ' '.repeat(Math.max(2, gap.length + (end - start) - name.length));
      last += gap.length;
    }
    return redacted + text.slice(last);
  }

  replaced(): Replaced {
    const counts: Replaced = {users: 0, hosts: 0, titles: 0, files: 0, secrets: 0};
    for (const [label, numbers] of this.#numbers) counts[LABELS[label]] += numbers.size;
    return counts;
  }

  #placeholder(label: Label, identity: string): string {
    const numbers = this.#numbers.get(label) ?? new Map<string, number>();
    this.#numbers.set(label, numbers);
    const number = numbers.get(identity) ?? numbers.size + 1;
    numbers.set(identity, number);
    return `${label}-${number}`;
  }

  #hits(text: string): Hit[] {
    const hits = readings(text).flatMap((reading) => [
      ...this.#namesIn(fold(reading)),
      ...this.#patterns.flatMap((pattern) => patternIn(reading, pattern)),
    ]);
    const placeholders = [...text.matchAll(PLACEHOLDER)].map(({0: found, index}) => [
      index,
      index + found.length,
    ]);
    return hits.filter(({start, end}) => !placeholders.some(([from, to]) => start >= from! && end <= to!));
  }

  #namesIn(folded: Reading): Hit[] {
    const hits: Hit[] = [];
    const {text, starts, ends} = folded;
    for (let at = 0; at < text.length; at += 1) {
      for (const name of this.#names.get(text[at]!) ?? []) {
        const end = endOf(name.folded, text, at);
        if (end === -1) continue;
        hits.push({start: starts[at]!, end: ends[end - 1]!, label: name.label, identity: name.identity});
        break;
      }
    }
    return hits;
  }
}

const PLACEHOLDER = new RegExp(`\\b(?:${Object.keys(LABELS).join('|')})-\\d+\\b`, 'g');

/** Where the name that begins at a place of a folded text ends; -1 if it is not there. */
function endOf(name: string, text: string, start: number): number {
  let at = start;
  for (let index = 0; index < name.length; index += 1) {
    const isSpace = name[index] === ' ';
    const from = at;
    if (isSpace || (index > 0 && text[at] === '\n')) while (text[at] === ' ' || text[at] === '\n') at += 1;
    if (isSpace && at === from && name.length < LONG_WITHOUT_SPACES) return -1;
    if (!isSpace && name[index] !== text[at]) return -1;
    if (!isSpace) at += 1;
  }
  return name.length >= LONG || isWord(name, text, start, at) ? at : -1;
}

function isWord(name: string, text: string, start: number, end: number): boolean {
  const joins = (inside: string | undefined, outside: string | undefined) =>
    LETTER.test(inside ?? '') && LETTER.test(outside ?? '');
  return !joins(name[0], text[start - 1]) && !joins(name.at(-1), text[end]);
}

/** Scripts without upper case have no spaces between words, or join short words to others. */
const LETTER = /\p{Ll}/u;

function patternIn(reading: Reading, {label, pattern, isPlain}: Pattern): Hit[] {
  return [...reading.text.matchAll(pattern)].flatMap((match) => {
    const places = match.indices!.slice(1).find((place) => place !== undefined) ?? match.indices![0]!;
    const [from, to] = places;
    const found = reading.text.slice(from, to);
    if (from === to || isPlain?.(found)) return [];
    const [start, end] = [reading.starts[from]!, reading.ends[to - 1]!];
    return [{start, end, label, identity: foldName(found)}];
  });
}

/** In order, and where some overlap one for all, by the longest. */
function merged(hits: readonly Hit[]): Hit[] {
  const sorted = [...hits].sort((a, b) => a.start - b.start || b.end - a.end);
  const whole: (Hit & {length: number})[] = [];
  for (const hit of sorted) {
    const length = hit.end - hit.start;
    const last = whole.at(-1);
    if (last === undefined || hit.start >= last.end) whole.push({...hit, length});
    else {
      last.end = Math.max(last.end, hit.end);
      if (length > last.length) Object.assign(last, {label: hit.label, identity: hit.identity, length});
    }
  }
  return whole;
}

/** The domains of known hosts and addresses: other hosts of theirs are not shown either. */
function domainsOf(names: readonly KnownName[]): string[] {
  const domains = names.flatMap(({label, text}) => {
    const host = label === 'email' ? text.slice(text.lastIndexOf('@') + 1) : label === 'host' ? text : '';
    const parts = host.toLowerCase().split('.');
    const isName = parts.length > 1 && parts.every((part) => /^[\p{L}\p{N}_-]+$/u.test(part));
    if (!isName || /^\d+$/.test(parts.at(-1)!)) return [];
    return [parts.slice(parts.length > 2 ? 1 : 0).join('.')];
  });
  return [...new Set(domains)].sort((a, b) => b.length - a.length);
}
