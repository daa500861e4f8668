import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import {DayClock} from '../../../../src/jobs/stats/day-clock.ts';

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
