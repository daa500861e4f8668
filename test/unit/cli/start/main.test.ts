import {expect, test} from 'vitest';
import {joinTopic} from '../../../../src/cli/start/main.ts';

test.each([
  ['jobs list --all', 'jobs:list --all'],
  ['jobs:list --all', 'jobs:list --all'],
  ['help jobs list', 'help jobs:list'],
  ['jobs --help', 'jobs --help'],
  ['queue', 'queue'],
  ['doctor jobs list', 'doctor jobs list'],
  ['jobs list --watch --running', 'jobs:list --watch=2 --running'],
  ['queue:status --watch', 'queue:status --watch=2'],
  ['queue status --watch=0.5', 'queue:status --watch=0.5'],
  ['jobs:list --watch -- --watch', 'jobs:list --watch=2 -- --watch'],
])('%s', (typed, expected) => {
  expect(joinTopic(typed.split(' ')).join(' ')).toBe(expected);
});
