import {describe, expect, test} from 'vitest';
import {joinTopic, putCommandFirst} from '../../../../src/cli/start/main.ts';

describe('joinTopic', () => {
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
    ['jobs:list -h', 'jobs:list --help'],
    ['-V', '--version'],
    ['queue:hold -- make -h -V', 'queue:hold -- make -h -V'],
    // A space before its value, which oclif would take for -n otherwise.
    ['jobs:list --sort -name -n 5', 'jobs:list --sort  -name -n 5'],
    ['jobs list --sort=-name', 'jobs:list --sort= -name'],
  ])('%s', (typed, expected) => {
    expect(joinTopic(typed.split(' ')).join(' ')).toBe(expected);
  });
});

describe('putCommandFirst', () => {
  test.each([
    ['jobs:list --json', 'jobs:list --json'],
    ['--json jobs:list', 'jobs:list --json'],
    ['--timeout 3 -q --site=a jobs list --all', 'jobs list --all --timeout 3 -q --site=a'],
    ['--json jobs:kill -- 5', 'jobs:kill --json -- 5'],
    ['--help', '--help'],
    ['-h jobs list', 'jobs list -h'],
    ['--help-all jobs:list', 'jobs:list --help-all'],
    ['--version', '--version'],
    ['--json', '--json'],
    ['--nope jobs:list', '--nope jobs:list'],
  ])('%s', async (typed, expected) => {
    expect((await putCommandFirst(typed.split(' '))).join(' ')).toBe(expected);
  });
});
