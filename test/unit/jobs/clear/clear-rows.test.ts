import {expect, it} from 'vitest';
import {BatchSize} from '../../../../src/jobs/clear/clear-rows.ts';

/** The milliseconds of each transaction on a server that deletes so many jobs a second. */
function transactions(jobsPerSecond: number, count = 12): number[] {
  const size = new BatchSize(null);
  return Array.from({length: count}, () => {
    const milliseconds = (size.jobs / jobsPerSecond) * 1000;
    size.learn(milliseconds);
    return milliseconds;
  });
}

it.each([2000, 5000, 20_000, 25_000])('settles below half a second at %i jobs a second', (speed) => {
  const times = transactions(speed);
  expect(Math.max(...times)).toBeLessThanOrEqual(500);
  expect(times.at(-1)).toBeGreaterThan(300);
});

it('comes down at once if the first was too long', () => {
  const [first, ...others] = transactions(500);
  expect(first).toBe(2000);
  expect(Math.max(...others)).toBeLessThan(400);
});

it('neither grows without bound nor shrinks to nothing', () => {
  const size = new BatchSize(null);
  for (let time = 0; time < 10; time++) size.learn(0);
  expect(size.jobs).toBe(10_000);
  for (let time = 0; time < 10; time++) size.learn(60_000);
  expect(size.jobs).toBe(100);
});

it('stays as it was given', () => {
  const size = new BatchSize(7);
  size.learn(1);
  expect(size.jobs).toBe(7);
});
