import fc from 'fast-check';
import {expect, test} from 'vitest';
import {
  lastActivity,
  parametersOf,
  parametersTextOf,
  parseLogLines,
  startCount,
} from '../../src/jobs/model/log.ts';
import {readPhpJson} from '../../src/php/json.ts';
import {phpSerialize} from '../../src/php/serialize.ts';
import {uniqueKey} from '../../src/queue/unique-key.ts';
import {anyText, holds, near} from './many.ts';

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '\\',
  '\\u',
  'd83d',
  '1',
  '-',
  '.5',
  'e',
  '+9',
  'true',
  'null',
  ' ',
  '"a"',
  '"10"',
];
const anyJson = fc.oneof(near(...PIECES), fc.json(), anyText);

test('any text is read as JSON by PHP, and then serialized, or refused with a SyntaxError', () => {
  holds(
    fc.property(anyJson, (text) => {
      try {
        expect(phpSerialize(readPhpJson(text))).toMatch(/^(?:[Nbidsa][;:])/);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }),
  );
});

test('what is read is what JSON.parse reads, but for what PHP refuses', () => {
  holds(
    fc.property(fc.json(), (text) => {
      const plain = (value: unknown): unknown => {
        if (typeof value === 'bigint') return Number(value);
        if (value instanceof Map)
          return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
        return value === 0 ? 0 : value;
      };
      // To PHP a list is an array with the keys 0, 1, 2.
      const asPhp = (_: string, value: unknown) =>
        value === 0 ? 0 : Array.isArray(value) ? {...value} : value;
      let read: unknown;
      try {
        read = readPhpJson(text);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
        expect(text).toMatch(/\\u[dD]|\p{Surrogate}/u);
        return;
      }
      expect(JSON.stringify(plain(read))).toBe(JSON.stringify(JSON.parse(text, asPhp)));
    }),
  );
});

test('a unique key is 32 hex digits, or null', () => {
  holds(
    fc.property(anyText, anyJson, (name, text) => {
      const key = uniqueKey(name, text);
      if (key !== null) expect(key).toMatch(/^[0-9a-f]{32}$/);
    }),
  );
});

const JOB = {id: 7, name: 'x'};

test('any text as a log: no line is lost, its parameters are JSON or null, its last time is a time', () => {
  const log = near(
    '[info] ',
    '[2026-03-04 13:05:01] ',
    'Job 7 "x": ',
    'Job started.',
    'Parameters: ',
    '{"id":7}',
    '{',
    '\n',
    '\r\n',
    'Job finished.',
    '"',
  );
  holds(
    fc.property(fc.oneof(log, anyText), (text) => {
      const lines = parseLogLines(text);
      const ended = text.replace(/\r?\n$/, '');
      expect(lines).toHaveLength(text === '' ? 0 : ended.split('\n').length);
      if (parametersTextOf(text, JOB) === null) expect(parametersOf(text, JOB)).toBeNull();
      expect(lastActivity(text) ?? '2026-03-04 13:05:01').toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
      expect(startCount(text)).toBeLessThanOrEqual(lines.length);
    }),
  );
});
