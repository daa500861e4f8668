import {expect, test} from 'vitest';
import {renderWaited, renderWaiting} from '../../../../src/render/jobs/details.ts';
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
