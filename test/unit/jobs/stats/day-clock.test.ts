import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {DayClock, dayOf, dayText, parseWall} from '../../../../src/jobs/stats/day-clock.ts';

/** Clocks that change at two in the night, at midnight, by half an hour, and never. */
const ZONES = ['America/Vancouver', 'America/Santiago', 'Australia/Lord_Howe', 'UTC'];

test.each(ZONES)('any time in %s is what the zone says', async (zone) => {
  const time = createSiteTime(zone, process.env);
  const days = new DayClock(time);
  const year = {min: Date.UTC(2025, 0, 1), max: Date.UTC(2026, 0, 1)};
  fc.assert(
    fc.property(fc.integer(year), (instant) => {
      const wall = new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
      expect([wall, days.toEpochSeconds(Math.floor(instant / 1000))]).toEqual([
        wall,
        time.toEpochMs(wall) / 1000,
      ]);
    }),
  );
});

test('the hour that comes twice, and the hour that is left out', async () => {
  const time = createSiteTime('America/Vancouver', process.env);
  const days = new DayClock(time);
  for (const wall of ['2025-11-02 01:30:00', '2025-11-02 23:59:59', '2025-03-09 02:30:00']) {
    expect(days.toEpochSeconds(Date.parse(`${wall}Z`) / 1000)).toBe(time.toEpochMs(wall) / 1000);
  }
});

test.each([
  'ľi60-09-13 00:00:00',
  '~~~~-99-99 99:99:99',
  '2026-02-29 00:00:00',
  '2026-13-01 00:00:00',
  '2026-00-10 00:00:00',
  '2026-01-00 00:00:00',
  '2026-01-01 24:00:00',
  '2026-01-01x00:00:00',
  '0070-01-01 00:00:00',
  '2026-01-01 00:00',
])('the text %s is no time', (text) => {
  expect(parseWall(text)).toBeNull();
});

test('a text is the time that it says', () => {
  for (const text of ['2024-02-29 23:59:59', '1970-01-01 00:00:01', '9999-12-31 23:59:59'])
    expect(parseWall(text)).toBe(Date.parse(`${text.replace(' ', 'T')}Z`) / 1000);
});

test('at the ends of what MySQL stores, and beyond, no time fails', () => {
  const days = new DayClock(createSiteTime('America/Vancouver', process.env));
  for (const seconds of [-1e15, -62_167_132_800, 253_402_300_799, 1e15])
    expect(days.toEpochSeconds(seconds)).not.toBeNaN();
  // TO_SECONDS('0000-01-01') of MySQL, and the leap day that its year 0 does not have.
  expect(dayText(dayOf(86_400 - 62_167_219_200))).toBe('0000-01-01');
  expect(dayText(dayOf(60 * 86_400 - 62_167_219_200))).toBe('0000-03-01');
});
