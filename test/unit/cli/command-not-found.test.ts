import {expect, test} from 'vitest';
import {meantCommands} from '../../../src/cli/command-not-found.ts';
import {COMMANDS} from '../../../src/cli/start/command-table.ts';
import {nearest} from '../../../src/cli/suggest.ts';

const KNOWN = Object.keys(COMMANDS).filter((id) => !['completion:answer', 'man', 'jobs:retry'].includes(id));

test.each([
  ['kill', 'jobs:kill'],
  ['list', 'jobs:list'],
  ['status', 'queue:status, worker:status'],
  ['jobs:rm', 'jobs:clear, jobs:kill'],
  ['rm', 'jobs:clear, jobs:kill'],
  ['jobs:cancel', 'jobs:kill'],
  ['jobs:stop', 'jobs:kill'],
  ['stop', 'worker:stop'],
  ['queue:list', 'queue:status'],
  ['job:list', 'jobs:list'],
  ['workers', 'queue:workers'],
  ['logs', 'worker:logs'],
  ['jobs:logs', 'jobs:show'],
  ['jobs:lst', 'jobs:list'],
  ['jobs:exp', 'jobs:export-csv'],
  ['lst', 'jobs:list'],
  ['doctr', 'doctor'],
  ['version', '--version'],
  ['toString', ''],
  ['frobnicate', ''],
])('D10: for %s the commands %s are meant', (typed, meant) => {
  expect(meantCommands(typed, KNOWN).join(', ')).toBe(meant);
});

test.each([
  ['job', 'list', 'jobs:list'],
  ['job', 'rm', 'jobs:clear, jobs:kill'],
  ['queues', 'status', 'queue:status'],
  ['workers', 'logs', 'worker:logs'],
  ['kill', '12', 'jobs:kill'],
  ['doctr', 'list', 'doctor'],
])('D10: for %s %s the commands %s are meant', (typed, next, meant) => {
  expect(meantCommands(typed, KNOWN, next).join(', ')).toBe(meant);
});

test('a word that other tools use is not answered with a command that does not exist', () => {
  expect(meantCommands('resubmit', KNOWN)).toEqual([]);
  expect(meantCommands('resubmit', [...KNOWN, 'jobs:retry'])).toEqual(['jobs:retry']);
});

test.each([
  ['runing', ['running', 'run-php'], ['running']],
  ['Completed', ['completed', 'error'], ['completed']],
  ['err', ['running', 'error'], ['error']],
  ['nmae', ['name', 'same'], ['name']],
  ['tcsh', ['bash', 'zsh', 'fish'], []],
  ['x', ['id', 'name'], []],
  ['', ['id'], []],
  ['broken', ['running', 'completed', 'error', 'unknown'], []],
])('D10: nearest to %j of %j is %j', (typed, candidates, found) => {
  expect(nearest(typed, candidates)).toEqual(found);
});
