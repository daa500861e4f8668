import {expect, test} from 'vitest';
import {
  renderJobDetails,
  renderLog,
  renderWaited,
  renderWaiting,
} from '../../../../src/render/jobs/details.ts';
import {aJob} from '../../../support/jobs/a-job.ts';

const screen = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};

test('a line for each job: how it ended, or what it is doing', () => {
  const notes = [
    {text: 'Imported 12 of 900', error: false},
    {text: 'disk\u001b[2J full', error: true},
  ];
  const jobs = [
    aJob({id: 1, status: 'completed', durationSeconds: 183}),
    aJob({id: 2, status: 'error', durationSeconds: 5, notes}),
    aJob({id: 3, status: 'unknown'}),
    aJob({id: 4, live: 'lost', durationSeconds: 90_000}),
    aJob({id: 5, durationSeconds: 1}),
  ];
  expect(renderWaited({jobs, deleted: [6], timeOver: false}, screen).split('\n')).toEqual([
    'Job 1: completed after 3m 3s',
    'Job 2: error after 5s: disk\\x1b[2J full',
    'Job 3: unknown',
    'Job 4: running for 1d 1h, lost: no Gearman server knows it and no worker can be running it',
    'Job 5: running for 1s',
    'Job 6: deleted meanwhile; how it ended is not known',
    '',
  ]);
});

test('the line while waiting counts the states', () => {
  const jobs = [aJob({live: 'queued'}), aJob({live: 'queued'}), aJob({status: 'completed'})];
  expect(renderWaiting({jobs, deleted: [9], timeOver: false})).toBe(
    'Waiting for 4 jobs: 2 queued, 1 completed, 1 deleted',
  );
  expect(renderWaiting({jobs: [aJob()], deleted: [], timeOver: false})).toBe(
    'Waiting for one job: 1 running',
  );
});

test('D9: the page has the last lines of the log, without the id and the name that each repeats', () => {
  const line = (message: string) => `[info] [2026-11-26 02:42:45] Job 7 "a\u001b[2Jb": ${message}\n`;
  const log = line('one') + line('two') + line('three\nand its second line');
  const job = {...aJob({id: 7, name: 'a\u001b[2Jb'}), log, lastActivityAt: null, parameters: null};
  const logOf = (tail: number) => renderJobDetails(job, screen, {tail: tail}).split('\nLog')[1];
  expect(logOf(2)).toBe(
    ': the last 2 of 4 lines; --log shows all\n[info] [2026-11-26 02:42:45] three\nand its second line\n',
  );
  expect(logOf(4)).toMatch(/^\n\[info\] \[2026-11-26 02:42:45\] one\n/);
  expect(logOf(0)).toBe(': the last 0 of 4 lines; --log shows all\n');
  const again = 'Start it again in AtoM: Import > CSV or XML.';
  expect(renderJobDetails(job, screen, {tail: 0, again})).toContain(`\n  Run again:     ${again}\n`);
  expect(renderJobDetails(job, screen, {tail: 0})).not.toContain('Run again');
  expect(renderJobDetails({...job, log: ''}, screen, {tail: 20}).split('\nLog')[1]).toBe('\n  (empty)\n');
  expect(renderLog(job, undefined)).toBe(log.replaceAll('\u001b', '\\x1b'));
  expect(renderLog(job, 1)).toBe('and its second line\n');
});

test('a note that is wider than the screen breaks between words; a line that fits stays as it is', () => {
  const notes = [
    {text: 'Killed with atomctl by a@b.\nReason:  it hung', error: false},
    {text: 'no space left on device', error: true},
  ];
  const job = {...aJob({id: 7, notes}), log: '', lastActivityAt: null, parameters: null};
  const page = renderJobDetails(job, {...screen, width: 20}, {tail: 0});
  expect(page).toContain(
    '\nNotes\n  Killed with\n    atomctl by a@b.\n  Reason:  it hung\n\nErrors\n  no space left on\n    device\n',
  );
  expect(renderJobDetails(job, screen, {tail: 0})).toContain('\n  Killed with atomctl by a@b.\n');
});
