import {expect, test} from 'vitest';
import {FailureReasons, OTHER_REASONS, reasonOf} from '../../../../src/jobs/stats/failure-reasons.ts';

test.each([
  ['Exception: Row 17 of "smith.csv" is wrong', 'Exception: Row N of "…" is wrong'],
  ["Can't open /usr/share/nginx/atom/uploads/a b.xml: 13", "Can't open … …: N"],
  ['The file finding-aid_12.pdf of 2026-11-23 is missing', 'The file … of N is missing'],
  ['SQLSTATE[HY000]: General error: 1205 Lock wait', 'SQLSTATE[HY000]: General error: N Lock wait'],
  ['No record a3f5b2c8d9e0f1a2 for „Müller“ <m.mueller@example.org>', 'No record N for "…" …'],
  ['See https://example.org/x?id=5, please', 'See … please'],
  ['First line\nSecond line', 'First line'],
  ['Killed with atomctl by admin on 2026-11-23 02:42:45, while it was lost.', 'Killed with atomctl'],
  [
    'Marked as an error by atomctl doctor for root on 2026-11-23 02:42:45: x',
    'Marked as an error by atomctl doctor',
  ],
])('%s is counted as: %s', (message, reason) => {
  expect(reasonOf(message)).toBe(reason);
});

test('the most frequent first, each with its newest job; without a note last of equals', () => {
  const reasons = new FailureReasons();
  for (const [id, message] of ['row 1', null, 'row 2', 'full'].entries()) reasons.add(message, id);
  expect(reasons.list()).toEqual([
    {reason: 'row N', count: 2, exampleId: 2},
    {reason: null, count: 1, exampleId: 1},
    {reason: 'full', count: 1, exampleId: 3},
  ]);
});

test('a message of its own for each job does not fill the memory', () => {
  const reasons = new FailureReasons();
  const letters = (id: number) => String.fromCharCode(97 + (id % 26), 97 + ((id / 26) % 26), 97 + id / 676);
  for (let id = 0; id < 5000; id += 1) reasons.add(`failed: ${letters(id)}`, id);
  const [first, ...others] = reasons.list();
  expect([first, others.length]).toEqual([{reason: OTHER_REASONS, count: 4000, exampleId: 4999}, 1000]);
});
