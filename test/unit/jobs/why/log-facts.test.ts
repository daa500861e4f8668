import {expect, test} from 'vitest';
import {triesUsed} from '../../../../src/jobs/why/blocker.ts';
import {progressOf} from '../../../../src/jobs/why/progress.ts';

const log = (...messages: string[]) =>
  messages.map((message) => `[info] [2026-03-04 13:05:00] Job 7 "arObjectMoveJob": ${message}\n`).join('');
const WAITS = 'Another sensitive job is being executed, will retry in 10 seconds';
const WARTET = 'Ein anderer Auftrag läuft, neuer Versuch in 10 Sekunden';

test.each([
  ['', 0],
  [log('Job started.'), 0],
  [log('Job started.', WAITS, WAITS), 2],
  [log('Job started.', WARTET), 1],
  [log('Job started.', WAITS, 'Parameters: {}'), 0],
  [log('Job started.', WAITS, WAITS, 'Job started.', WAITS), 1],
  [log('Job started.', 'Parameters: {"id":"10"}', 'Moving object (id: 10)'), 0],
  [log('Job started.', 'Importing CSV file: a2010.csv.'), 0],
])('the tries in %j', (text, used) => {
  expect(triesUsed(text)).toBe(used);
});

const note = (text: string) => ({text, error: false});

test.each([
  ['', [], null],
  [log('Job started.', '(3 of 900)', 'Exporting ID 5 (4 of 900)'), [note('1 of 2')], {done: 4, total: 900}],
  [log('(9 of 9)', 'Job started.'), [note('Imported 12 of 900 rows (1.2s)...')], {done: 12, total: 900}],
  [log('Job started.', 'Parameters: {"title":"3 of 4"}'), [], null],
  [log('Job started.', 'page 5 of 0', '7 of 3'), [], null],
])('the progress in %j and %j', (text, notes, progress) => {
  expect(progressOf({log: text, notes})).toEqual(progress);
});
