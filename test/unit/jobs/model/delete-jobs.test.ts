import {expect, it} from 'vitest';
import {idRanges} from '../../../../src/jobs/model/delete-jobs.ts';

const from = (first: number, count: number) => Array.from({length: count}, (_, index) => first + index);

it.each([
  ['one', [7], '(id IN (?))', [[7]]],
  ['a short run', [3, 4, 5], '(id IN (?))', [[3, 4, 5]]],
  ['a long run', from(100, 10), '(id BETWEEN ? AND ?)', [100, 109]],
  [
    'a run with a gap',
    [...from(1, 10), ...from(12, 10)],
    '(id BETWEEN ? AND ? OR id BETWEEN ? AND ?)',
    [1, 10, 12, 21],
  ],
  ['runs and single ones', [50, ...from(1, 10), 12], '(id BETWEEN ? AND ? OR id IN (?))', [1, 10, [12, 50]]],
  ['no order', [...from(1, 10)].reverse(), '(id BETWEEN ? AND ?)', [1, 10]],
  ['one twice', [...from(1, 10), 10], '(id BETWEEN ? AND ? OR id IN (?))', [1, 10, [10]]],
  ['none', [], 'FALSE', []],
])('%s', (_, ids, sql, values) => {
  expect(idRanges('id', ids)).toEqual({sql, values});
});
