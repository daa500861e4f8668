import {usageError} from '../errors.ts';
import type {SiteTime} from './site-time.ts';

/** A time that somebody typed. */
export interface When {
  /** The site's wall clock: a stored text below it is earlier than the time, any other is not. */
  wall: string;
  /** Milliseconds since 1970 in UTC; of a wall-clock time that the zone had twice, the first. */
  ms: number;
}

const DATE_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;
const MONTH = /^\d{4}-\d\d$/;
const DAY_MS = 86_400_000;

/**
 * Reads WHEN: an ISO date or date-time on the site's wall clock, or with an offset; a month, `today`, `yesterday`, `now`; or
 * an age, `7d` or `2h ago`. A day or month means its beginning, and an age counts back from `now`: a day is 24 hours in it.
 * @param origin of the text, for the error
 * @throws AtomctlError USAGE if it is none of these
 */
export function parseWhen(
  text: string,
  {origin, time, now}: {origin: string; time: SiteTime; now: Date},
): When {
  const given = text.trim();
  const word = given.toLowerCase();
  const ageSeconds = word === 'now' ? 0 : secondsOf(given.replace(/^-(?=\d)|\s+ago$/g, ''));
  if (ageSeconds !== null) return ofInstant(now.getTime() - ageSeconds * 1000, time);
  const today = time.toWall(now).slice(0, 10);
  if (word === 'today') return ofWall(`${today} 00:00:00`, time);
  if (word === 'yesterday') return ofWall(`${dayBefore(today)} 00:00:00`, time);
  const [, date, minutes = '00:00', seconds = '00', offset] =
    DATE_TIME.exec(MONTH.test(given) ? `${given}-01` : given) ?? [];
  const when = ofWall(`${date} ${minutes}:${seconds}`, time);
  if (Number.isNaN(when.ms)) {
    throw usageError(
      `"${text}" (${origin}) is not a valid date or time.`,
      'Examples: 2026-11-23, 2026-11-23T14:30, 2026-11-23T14:30:00Z, 2026-11, yesterday, 7d or "2h ago".',
    );
  }
  return offset === undefined
    ? when
    : ofInstant(Date.parse(`${date}T${minutes}:${seconds}${isoOffset(offset)}`), time);
}

function ofWall(wall: string, time: SiteTime): When {
  return {wall, ms: time.toEarliestMs(wall)};
}

function ofInstant(ms: number, time: SiteTime): When {
  return {wall: time.wallBefore(new Date(ms)), ms};
}

/** By the calendar: a day of the zone may have 23 or 25 hours. */
function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
}

/** `+01`, `+0130` and `z` as Date reads them. */
function isoOffset(offset: string): string {
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(offset) ?? [];
  return hours === undefined ? 'Z' : `${hours}:${minutes}`;
}

const AGE = /^(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)$/;
const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400, w: 604_800};
const LONGEST_AGE_SECONDS = 1000 * 365 * 86_400;

/** The seconds of an age; null if it is not one. */
function secondsOf(text: string): number | null {
  const [, count, unit = ''] = AGE.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS_PER_UNIT[unit.charAt(0)] ?? Number.NaN);
  return seconds <= LONGEST_AGE_SECONDS ? seconds : null;
}

/**
 * Seconds of an age such as `90d`, `12h`, `2w`, `30m`, `45s` or `3 days`; a day is always 24 hours.
 * @param origin of the text, for the error
 * @throws AtomctlError USAGE if it is not an age, or longer than a thousand years
 */
export function parseAge(text: string, origin: string): number {
  const seconds = secondsOf(text.trim());
  if (seconds !== null) return seconds;
  throw usageError(`Invalid age "${text}" (${origin}).`, 'Examples: 45s, 30m, 12h, 90d or 2w.');
}
