import {expect, it} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {LARGEST_ZONE_ERROR_MS, observeClock} from '../../../src/host/observed-clock.ts';
import {systemOffsetMs} from '../../../src/host/system-zone.ts';

const HOUR_MS = 3_600_000;
const vancouver = createSiteTime('America/Vancouver', process.env);
const NOW = new Date('2026-06-15T20:00:00Z');
const line = (at: string, wall: string) => ({at: new Date(at), message: `${wall} > Job finished.`});
const observe = (...lines: {at: Date; message: string}[]) => observeClock(lines, {time: vancouver, now: NOW});

it('is sure of the offset if the newest lines show it', () => {
  const observed = observe(
    {at: new Date('2026-06-15T18:00:00Z'), message: 'PHP Warning: no time here'},
    line('2026-06-15T18:00:01.2Z', '2026-06-15 11:00:01'),
    line('2026-06-15T18:01:01.9Z', '2026-06-15 11:00:59'),
  );
  expect(observed).toEqual({
    uncertaintyMs: 0,
    aheadMs: 0,
    reason:
      "The worker's journal shows PHP's clock at UTC-07:00, which matches the timezone America/Vancouver.",
  });
});

it.each([
  ['an hour behind', '2026-06-15 10:00:01', -HOUR_MS, '1h'],
  ['16 hours ahead', '2026-06-16 03:00:01', 16 * HOUR_MS, '16h'],
  ['45 minutes ahead', '2026-06-15 11:45:01', 0.75 * HOUR_MS, '45m'],
])('says by how much the clocks differ: %s', (_, wall, aheadMs, words) => {
  expect(observe(line('2026-06-15T18:00:02Z', wall))).toEqual({
    uncertaintyMs: LARGEST_ZONE_ERROR_MS,
    aheadMs,
    reason: `PHP's clock and the timezone America/Vancouver differ by ${words} (according to the worker's journal).`,
  });
});

it.each([
  ['there is no line with a time', [], /wrote no time/],
  ['the line is old', [line('2026-05-01T18:00:00Z', '2026-05-01 11:00:00')], /wrote no time/],
  ['the line came late', [line('2026-06-15T18:07:00Z', '2026-06-15 11:00:00')], /wrote no time/],
  [
    'lines contradict each other',
    [
      line('2026-06-14T18:00:00Z', '2026-06-14 10:00:00'),
      line('2026-06-15T18:00:00Z', '2026-06-15 11:00:00'),
    ],
    /contradict each other/,
  ],
])('is not sure if %s', (_, lines, reason) => {
  const observed = observe(...lines);
  expect([observed.uncertaintyMs, observed.aheadMs]).toEqual([26 * HOUR_MS, null]);
  expect(observed.reason).toMatch(reason);
});

it('is not sure if the offset changed since the newest line', () => {
  const lines = [line('2026-03-07T20:00:00Z', '2026-03-07 12:00:00')];
  const before = observeClock(lines, {time: vancouver, now: new Date('2026-03-07T21:00:00Z')});
  const after = observeClock(lines, {time: vancouver, now: new Date('2026-03-09T20:00:00Z')});
  expect([before.uncertaintyMs, after.uncertaintyMs]).toEqual([0, 26 * HOUR_MS]);
  expect(after.reason).toMatch(/changed its offset/);
});

it("reads the system's own zone data, and knows no other zone", async () => {
  expect(await systemOffsetMs('Asia/Kolkata', NOW)).toBe(5.5 * HOUR_MS);
  expect(await systemOffsetMs('America/Vancouver', new Date('2024-01-15T00:00:00Z'))).toBe(-8 * HOUR_MS);
  expect(await systemOffsetMs('Mars/Olympus', NOW)).toBeNull();
});
