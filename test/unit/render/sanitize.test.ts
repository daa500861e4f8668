import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {sanitizeBlock, sanitizeJson, sanitizeLine} from '../../../src/render/sanitize.ts';

const ESCAPE_SEQUENCE = '\u001b[2J\u001b]0;owned\u0007';
const HARMFUL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/u;
const anyText = fc.string({unit: 'binary'});

describe('sanitizeLine', () => {
  it.each([
    ['an escape sequence', ESCAPE_SEQUENCE, '\\x1b[2J\\x1b]0;owned\\x07'],
    ['line breaks and tabs', 'one\r\ntwo\tthree', 'one two three'],
    ['a C1 control', 'a\u009b31mb', 'a\\x9b31mb'],
    ['a mark that reorders text', 'a\u202eb', 'a\\u202eb'],
    ['characters without width', 'ad\u200b\u2060\ufeffmin', 'ad\\u200b\\u2060\\ufeffmin'],
    ['tags that hide a text', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['what is harmless', 'Ünïcode 日本 😀 עברית', 'Ünïcode 日本 😀 עברית'],
  ])('makes %s harmless', (_, text, safe) => {
    expect(sanitizeLine(text)).toBe(safe);
  });

  it('leaves no control character and no line break in any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe = sanitizeLine(text);
        expect(safe).not.toMatch(HARMFUL);
        expect(safe).not.toMatch(/[\n\t]/);
      }),
      {numRuns: 2000},
    );
  });
});

describe('sanitizeBlock', () => {
  it('keeps lines and tabs, and makes other control characters visible', () => {
    expect(sanitizeBlock(`one\r\n\ttwo\rthree${ESCAPE_SEQUENCE}`)).toBe(
      'one\n\ttwo\\x0dthree\\x1b[2J\\x1b]0;owned\\x07',
    );
  });

  it('leaves no harmful character in any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(sanitizeBlock(text)).not.toMatch(HARMFUL);
      }),
      {numRuns: 2000},
    );
  });
});

describe('sanitizeJson', () => {
  it('escapes tags as two code units, as JSON has them', () => {
    const json = sanitizeJson(JSON.stringify({text: 'a\u{e0041}\u200b'}));
    expect(json).toBe('{"text":"a\\udb40\\udc41\\u200b"}');
    expect(JSON.parse(json)).toEqual({text: 'a\u{e0041}\u200b'});
  });

  it('parses to the same value and has no raw control character', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = sanitizeJson(JSON.stringify({text}));
        expect(json).not.toMatch(/[\n\t]/);
        expect(json).not.toMatch(HARMFUL);
        expect(JSON.parse(json)).toEqual({text});
      }),
      {numRuns: 2000},
    );
  });
});
