import {expect, test} from 'vitest';
import {type Change, recordChanges} from '../../../../src/cli/change/audit-log.ts';
import type {AppendFile} from '../../../../src/files/append-file.ts';

/** The one line that a change comes to, and its bytes. */
async function lineOf(change: Change) {
  let written = '';
  const append = async (text: string) => {
    written = text;
  };
  const file = {append} as unknown as AppendFile;
  const options = {command: 'jobs:clear', site: null, database: null, file, now: new Date(0)};
  expect(await recordChanges([change], options)).toBeNull();
  expect(written.endsWith('\n')).toBe(true);
  return {bytes: Buffer.byteLength(written) - 1, line: JSON.parse(written)};
}

/** logger splits what is longer: then no part is JSON. */
const MOST_BYTES = 64 * 1024;
const IDS = Array.from({length: 15_000}, (_, index) => index + 1_000_000);

test('of many ids a line has their number, the first and the last', async () => {
  const what = {filter: {ids: IDS}, jobs: IDS.length};
  const {bytes, line} = await lineOf({what, result: {interruptedJobs: IDS.slice(0, 3)}});
  expect(bytes).toBeLessThan(1000);
  expect(line.what.filter.ids).toEqual({count: 15_000, first: 1_000_000, last: 1_014_999});
  expect(line.result.interruptedJobs).toEqual([1_000_000, 1_000_001, 1_000_002]);
});

test.each<[string, object]>([
  ['names', {names: Array.from({length: 200}, () => 'é'.repeat(500))}],
  ['a reason of control characters', {reason: '\u009b'.repeat(60_000)}],
  ['ids', {ids: IDS}],
  ['problems', {problems: Array.from({length: 3000}, (_, id) => `Job ${id} was not returned.`)}],
])('a line with many %s is shorter than what logger takes', async (_, what) => {
  const {bytes, line} = await lineOf({what, result: what});
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(line.command).toBe('jobs:clear');
});

test('a line that is short enough is whole', async () => {
  const what = {
    reason: 'x'.repeat(20_000),
    ids: IDS.slice(0, 100),
    names: Array.from({length: 50}, () => 'a'),
  };
  expect((await lineOf({what, result: {}})).line.what).toEqual(what);
});

test('if it cannot be written, the warning has the line, of many the first ten', async () => {
  const file = {append: async () => Promise.reject(new Error('it is full'))} as unknown as AppendFile;
  const options = {command: 'jobs:kill', site: null, database: null, file, now: new Date(0)};
  const changes = Array.from({length: 12}, (_, job) => ({what: {job}, result: {}}));
  const warning = await recordChanges(changes, options);
  expect(warning).toMatch(
    /^This change may be missing in the audit log: its file failed: it is full\. The log should have: \{/,
  );
  expect(warning).toMatch(/"what":\{"job":9\},"result":\{\}\} and 2 more lines$/);
});
