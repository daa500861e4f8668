/** A name that is planted anywhere in a text, however it is written there, is not in the report. */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {LABELS, type Label} from '../../src/report/patterns.ts';
import {Redactor} from '../../src/report/redact.ts';
import {anyText, holds} from './many.ts';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzéüñøßščžабвгдлмн山田太郎ΑΒΓαβγς'];
const word = fc.string({unit: fc.constantFrom(...LETTERS), minLength: 2, maxLength: 9});
const isOfPlaceholder = (name: string) =>
  Object.keys(LABELS).some((label) => label.includes(name.toLowerCase()));
const name = fc
  .array(word, {minLength: 1, maxLength: 3})
  .map((words) => words.join(' '))
  .filter((text) => !isOfPlaceholder(text) && !['atom', 'root'].includes(text));

const bytes = (text: string) => [...Buffer.from(text)].map((byte) => byte.toString(16).padStart(2, '0'));
const units = (text: string) => Array.from({length: text.length}, (_, at) => text.charCodeAt(at));
const inMiddle = (mark: string) => (text: string) => {
  const middle = Math.ceil([...text].length / 2);
  return [...text].slice(0, middle).join('') + mark + [...text].slice(middle).join('');
};

/** How a name may be written. */
const WRITINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'in upper case': (text) => text.toUpperCase(),
  'in lower case': (text) => text.toLowerCase(),
  'with its first letters in upper case': (text) =>
    text.replace(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase()),
  'in a URL': encodeURIComponent,
  'in a query': (text) => encodeURIComponent(text).replaceAll('%20', '+'),
  'in a URL, each byte': (text) =>
    bytes(text)
      .map((byte) => `%${byte}`)
      .join(''),
  'in a URL in a URL': (text) => encodeURIComponent(encodeURIComponent(text)),
  'in HTML': (text) => [...text].map((letter) => `&#${letter.codePointAt(0)};`).join(''),
  'in HTML in hexadecimal': (text) =>
    [...text].map((letter) => `&#x${letter.codePointAt(0)!.toString(16)};`).join(''),
  'in JSON': (text) =>
    units(text)
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  'in bytes': (text) =>
    bytes(text)
      .map((byte) => `\\x${byte}`)
      .join(''),
  'with accents of their own': (text) => text.normalize('NFD'),
  'in wide letters': (text) =>
    text.replace(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) - 97 + 0xff41)),
  'broken over lines': inMiddle('\n'),
  'broken over lines, indented': inMiddle('\n  '),
  'a word in each line': (text) => text.replaceAll(' ', '\n'),
  'with a mark without width': inMiddle('\u200b'),
  'with the escape of such a mark': inMiddle('\\u200b'),
  'as a slug': (text) => text.replaceAll(' ', '-'),
  'as a file': (text) => text.replaceAll(' ', '_'),
};

const label = fc.constantFrom<Label>('user', 'host', 'title', 'file', 'database', 'site');
const LONG = 5;
/** At the end of a text, the beginning of an escape: it may take letters of the name for its own. */
const OPEN_ESCAPE = /(?:[%&]#?|\\[xu]?\{?)[\da-z]*$/i;

test.each(Object.keys(WRITINGS))('a name %s is replaced, whatever is before and after it', (writing) => {
  const write = WRITINGS[writing]!;
  const around = fc.oneof(
    anyText,
    fc.string({unit: fc.constantFrom(...LETTERS, '/', '"', '\\', '%', '\n'), maxLength: 8}),
  );
  holds(
    fc.property(name, label, around, around, (text, kind, before, after) => {
      const planted = write(text);
      // A short name is a part of words; it is replaced where it is a word.
      const isOpen = OPEN_ESCAPE.test(before) && planted !== text;
      const gap = isOpen || [...text.normalize('NFKD')].length < LONG * 2 ? ' ' : '';
      const redactor = new Redactor({names: [{label: kind, text}], kept: []});
      const redacted = redactor.redact(`${before}${gap}${planted}${gap}${after}`);
      const own = `${before}${after}`.includes(planted);
      if (!own) expect(redacted).not.toContain(planted);
      expect(redacted).toMatch(/(?:user|host|title|file|database|site|email)-\d/);
    }),
    2 * Object.keys(WRITINGS).length,
  );
});

test('names among each other: none is left, and each has one placeholder everywhere', () => {
  const names = fc.uniqueArray(name, {minLength: 2, maxLength: 6, selector: (text) => text.toLowerCase()});
  holds(
    fc.property(names, fc.array(fc.nat(5), {minLength: 1, maxLength: 20}), (texts, order) => {
      const redactor = new Redactor({names: texts.map((text) => ({label: 'user', text})), kept: []});
      const planted = order.map((at) => texts[at % texts.length]!);
      const lines = redactor.redact(planted.join('\n|\n')).split('\n|\n');
      expect(lines).toHaveLength(planted.length);
      for (const [at, line] of lines.entries()) {
        expect(line).toMatch(/^user-\d+$/);
        expect(line).toBe(redactor.redact(planted[at]!));
      }
    }),
    20,
  );
});

test('an address, a password and a token that nobody knows are replaced, wherever they stand', () => {
  const hex = fc.string({unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 64});
  const secret = fc.string({unit: fc.constantFrom(...'abcXYZ0189!$*()-_'), minLength: 6, maxLength: 20});
  const plain = fc.constantFrom('', ' ', 'x ', '\n', '(', '"', '[info] ');
  holds(
    fc.property(hex, secret, plain, plain, (token, password, before, after) => {
      const redactor = new Redactor({names: [], kept: ['users', 'hosts', 'titles', 'files']});
      const texts = [
        `${before}${token}${after}`,
        `${before}password=${password}${after}`,
        `${before}"userToken":"${password}"${after}`,
        `${before}mysql://x:${password}@h/d${after}`,
        encodeURIComponent(`${before}token=${password}${after}`),
      ];
      for (const text of texts) {
        const redacted = redactor.redact(text);
        expect(redacted).not.toContain(token);
        expect(redacted).not.toContain(password);
      }
    }),
    20,
  );
});
