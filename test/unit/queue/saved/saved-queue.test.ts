import {createHash} from 'node:crypto';
import {expect, test} from 'vitest';
import {checkedJobs} from '../../../../src/queue/saved/check-jobs.ts';
import {rePrefix} from '../../../../src/queue/saved/re-prefix.ts';
import {readSavedQueue, type SavedJob, savedQueueText} from '../../../../src/queue/saved/saved-queue.ts';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';

const job = (fields: Partial<SavedJob> = {}): SavedJob => ({
  server: '127.0.0.1:4730',
  function: `${'a'.repeat(32)}-arFindingAidJob`,
  unique: 'b'.repeat(32),
  priority: 'normal',
  logLength: null,
  payload: Buffer.from('{"id":"449"}'),
  ...fields,
});
const EVERY_BYTE = Buffer.from(Array.from({length: 256}, (_, byte) => byte));
const QUEUE = {
  savedAt: '2026-11-26T12:00:00.000Z',
  jobs: [
    job(),
    job({
      unique: 'c',
      priority: 'high',
      logLength: 12,
      payload: Buffer.from('{"title":"Fonds d\u2028\u00e9t\u00e9 \ud83d\udc0c"}'),
    }),
    job({unique: 'd', priority: 'low', payload: EVERY_BYTE}),
    job({unique: 'e', payload: Buffer.alloc(0)}),
  ],
};
const TEXT = savedQueueText(QUEUE);

const read = (text: string) => readSavedQueue(text, 'queue.json');
const isDamaged = expect.objectContaining({
  code: 'USAGE',
  message: expect.stringContaining('queue.json is damaged'),
});

function errorOf(text: string): unknown {
  try {
    return read(text);
  } catch (error) {
    return error;
  }
}

test('a copy reads as it was saved, payloads byte for byte', () => {
  expect(read(TEXT)).toEqual(QUEUE);
  expect(read(savedQueueText({...QUEUE, jobs: []})).jobs).toEqual([]);
});

test('a header with version, count and checksum stands before a line for each job', () => {
  const lines = TEXT.split('\n');
  expect(JSON.parse(lines[0]!)).toEqual({
    format: 'atomctl-queue',
    version: 1,
    count: 4,
    savedAt: QUEUE.savedAt,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(lines).toHaveLength(6);
});

test('a copy is refused as a whole if a character of it is changed, missing or added', () => {
  for (let at = 0; at < TEXT.length; at += 3) {
    const other = TEXT[at] === '1' ? '2' : '1';
    for (const changed of [other, '', `${TEXT[at]}${other}`]) {
      const text = TEXT.slice(0, at) + changed + TEXT.slice(at + 1);
      expect(errorOf(text), `${at} ${changed}`).toMatchObject({code: 'USAGE'});
    }
  }
});

test('a copy is refused if lines are missing, doubled or in another order', () => {
  const [header, first, second, ...rest] = TEXT.split('\n');
  for (const lines of [
    [header, first, ...rest],
    [header, first, first, second, ...rest],
    [header, second, first, ...rest],
    [header, ''],
  ])
    expect(errorOf(lines.join('\n'))).toEqual(isDamaged);
});

test('another file and a newer version are named as what they are', () => {
  expect(errorOf('')).toMatchObject({message: 'queue.json is not a copy of a queue.'});
  expect(errorOf('{"jobs": []}\n')).toMatchObject({message: 'queue.json is not a copy of a queue.'});
  expect(errorOf(TEXT.replace('"version":1', '"version":2'))).toMatchObject({
    message: 'queue.json has version 2; this atomctl reads version 1.',
  });
});

/** A file with a right checksum, whatever it holds. */
function forged(lines: string, fields: object = {}): string {
  const header = {
    format: 'atomctl-queue',
    version: 1,
    count: lines.split('\n').length - 1,
    savedAt: '2026-11-26',
  };
  const given = {...header, ...fields};
  const sha256 = createHash('sha256')
    .update(`${JSON.stringify(given)}\n`)
    .update(lines)
    .digest('hex');
  return `${JSON.stringify({...given, sha256})}\n${lines}`;
}

const DEEP = '['.repeat(200_000) + ']'.repeat(200_000);

test.each([
  ['a version that is an object', forged('', {version: {toString: 1}}), /is not a copy of a queue/],
  ['a count that is an object', forged('', {count: {toString: null}}), /is damaged: its header/],
  ['no time', forged('', {savedAt: 7}), /is damaged: its header/],
  ['a deep header', `{"format":"atomctl-queue","version":1,"x":${DEEP}}\n`, /is not a copy of a queue/],
  ['a deep line', forged(`${DEEP}\n`), /is damaged: it does not have the 1 jobs/],
  [
    'a payload that is not base64',
    forged(
      '{"server":"a:1","function":"f","unique":"u","priority":"low","logLength":0,"payloadBase64":"%%"}\n',
    ),
    /is damaged: it does not have the 1 jobs/,
  ],
  ['more lines than its header says', forged('\n'.repeat(1000), {count: 0}), /is damaged: it does not have/],
])('of a file with %s the error is one sentence', (_, text, message) => {
  expect(errorOf(text)).toMatchObject({code: 'USAGE', message: expect.stringMatching(message)});
});

/** Its key is right: it has no number, which PHP may have had as another type. */
const own = (id: string, fields: Partial<SavedJob> = {}) => {
  const saved = job({payload: Buffer.from(`{"id":"${id}","name":"arFindingAidJob"}`)});
  return {...saved, unique: uniqueKey(saved.function, `${saved.payload}`)!, ...fields};
};

test('a job that is in the copy twice counts once', () => {
  expect(checkedJobs([own('1'), own('2'), {...own('1'), server: 'b:1'}], 'queue.json')).toEqual([
    own('1'),
    own('2'),
  ]);
});

test.each<[string, SavedJob]>([
  [
    'a second job of row 1, which would run twice',
    own('1', {function: `${'c'.repeat(32)}-arFindingAidJob`, unique: ''}),
  ],
  ['a key that is not the one of its job', own('2', {unique: 'f'.repeat(32)})],
  ['a key with control characters', own('2', {unique: 'a\0{}'})],
  ['a key of more than 63 bytes, which gearmand does not take', own('2', {unique: 'k'.repeat(64)})],
  ['a function with a name that no job of AtoM has', own('2', {function: 'a\nb'})],
  ['a function with a name that no job of AtoM has', own('2', {function: 'a b'})],
  [
    'a payload of more than 16773120 bytes, which atomctl could not take from the queue again',
    own('2', {payload: Buffer.alloc(16 * 1024 * 1024)}),
  ],
])('a copy with %s is refused', (what, second) => {
  expect(() => checkedJobs([own('1'), second], 'queue.json')).toThrow(`queue.json, line 3, has ${what}.`);
});

test('a job whose key depends on what the payload does not tell, and one of no row, are no reason to refuse a copy', () => {
  const jobs = [
    own('1', {payload: Buffer.from('{"id":"1","objectId":5}')}),
    own('2', {payload: EVERY_BYTE, unique: 'by hand'}),
  ];
  expect(checkedJobs(jobs, 'queue.json')).toEqual(jobs);
});

test("another prefix gives a job the function and the key that AtoM gives it there; a key that is not AtoM's stays", () => {
  const [old, own] = ['a'.repeat(32), 'f'.repeat(32)];
  const payload = Buffer.from('{"objectId":"512","name":"arFindingAidJob","id":"449"}');
  const functionAt = (prefix: string) => `${prefix}-arFindingAidJob`;
  const saved = job({unique: uniqueKey(functionAt(old), `${payload}`)!, payload});
  expect(rePrefix(saved, own)).toEqual({
    ...saved,
    function: functionAt(own),
    unique: uniqueKey(functionAt(own), `${payload}`),
  });
  expect(rePrefix({...saved, unique: 'by hand'}, own).unique).toBe('by hand');
});
