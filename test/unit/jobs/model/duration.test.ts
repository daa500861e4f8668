import {expect, it} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {durationSeconds} from '../../../../src/jobs/model/load-jobs.ts';

const tokyo = createSiteTime('Asia/Tokyo', process.env);
const vancouver = createSiteTime('America/Vancouver', process.env);
const NOW = new Date('2025-11-02T09:40:00Z');

it('counts a running job to now, and a finished one to its end', () => {
  const job = {startedAt: '2025-11-02 18:30:00', finishedAt: null, running: true};
  expect(durationSeconds(job, {time: tokyo, now: NOW})).toBe(600);
  expect(
    durationSeconds({...job, finishedAt: '2025-11-02 18:30:05', running: false}, {time: tokyo, now: NOW}),
  ).toBe(5);
});

it('gives no duration if the start lies in the future, or the end before the start', () => {
  const future = {startedAt: '2025-11-02 18:41:00', finishedAt: null, running: true};
  expect(durationSeconds(future, {time: tokyo, now: NOW})).toBeNull();
  const reversed = {startedAt: '2025-11-02 18:30:05', finishedAt: '2025-11-02 18:30:00', running: false};
  expect(durationSeconds(reversed, {time: tokyo, now: NOW})).toBeNull();
});

it('takes the later of two times in the repeated hour', () => {
  const job = {startedAt: '2025-11-02 01:30:00', finishedAt: null, running: true};
  expect(durationSeconds(job, {time: vancouver, now: NOW})).toBe(600);
});
