import fc from 'fast-check';
import * as PlainDateTime from 'temporal-polyfill/fns/PlainDateTime';
import * as ZonedDateTime from 'temporal-polyfill/fns/ZonedDateTime';
import {expect, test} from 'vitest';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {holds} from './many.ts';

/** The last zone whose offset had seconds, which V8 leaves out, gave them up in 1972. */
const SINCE = new Date('1973-01-01T00:00:00Z');
const ZONES = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/GMT+5', 'US/Pacific', 'europe/berlin'];

/** An instant near which many zones change their clocks: one in the morning of a Sunday in spring or autumn. */
const nearChange = fc
  .record({
    year: fc.integer({min: 1980, max: 2040}),
    month: fc.constantFrom(2, 3, 9, 10),
    day: fc.integer({min: 1, max: 31}),
    second: fc.integer({min: 0, max: 4 * 3600}),
  })
  .map(({year, month, day, second}) => new Date(Date.UTC(year, month, day, 0, 0, second)))
  .filter((date) => date.getUTCDay() === 0);

const wallClock = fc
  .oneof(nearChange, fc.date({min: SINCE, max: new Date('2060-01-01T00:00:00Z'), noInvalidDate: true}))
  .map((date) => date.toISOString().slice(0, 19).replace('T', ' '));

test('a wall-clock time in any zone is what Temporal makes of it', () => {
  holds(
    fc.property(fc.constantFrom(...ZONES), wallClock, (zone, wall) => {
      const [year, month, day, ...time] = wall.split(/[- :]/).map(Number) as [number, number, number];
      const plain = PlainDateTime.create(year, month, day, ...time);
      const expected = PlainDateTime.toZonedDateTime(plain, zone, {disambiguation: 'later'});
      const site = createSiteTime(zone, process.env);
      expect(site.toEpochMs(wall)).toBe(expected.epochMilliseconds);
      expect(site.toIso(wall)).toBe(
        ZonedDateTime.toString(expected, {timeZoneName: 'never', smallestUnit: 'second'}),
      );
    }),
  );
});
