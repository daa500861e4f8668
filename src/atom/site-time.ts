import {usageError} from '../errors.ts';

/**
 * A site's clock. AtoM stores wall-clock texts, `YYYY-MM-DD HH:MM:SS` in PHP's zone, without an offset. A time that
 * the zone skipped counts from the offset before the gap; of one that it had twice, the first is meant.
 */
export interface SiteTime {
  readonly zone: string;
  /** ISO 8601 with offset, seconds; null for what is no date, such as MySQL's 0000-00-00. */
  toIso(wall: string): string | null;
  /** Milliseconds since 1970 in UTC; NaN for what is no date. */
  toEpochMs(wall: string): number;
  /** The wall-clock text of an instant, cut to the second. */
  toWall(instant: Date): string;
  /**
   * The wall-clock text that an ISO date or date-time means; a date is its midnight, and an explicit offset or `Z`
   * is converted to the zone.
   * @param origin where the text came from, for the error
   * @throws AtomctlError USAGE where it is neither
   */
  parseWhen(text: string, origin: string): string;
}

const WALL = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const WHEN =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/**
 * The clock of a zone.
 * @param zone an IANA zone that this Node knows
 */
export async function loadSiteTime(zone: string): Promise<SiteTime> {
  const {Temporal} = await import('temporal-polyfill');

  function zoned(wall: string) {
    if (!WALL.test(wall)) return null;
    try {
      return Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, {disambiguation: 'compatible'});
    } catch {
      return null;
    }
  }

  function toWall(instant: Date): string {
    const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(zone);
    return local.toPlainDateTime().toString({smallestUnit: 'second'}).replace('T', ' ');
  }

  return {
    zone,
    toWall,
    toIso: (wall) => zoned(wall)?.toString({timeZoneName: 'never', smallestUnit: 'second'}) ?? null,
    toEpochMs: (wall) => zoned(wall)?.epochMilliseconds ?? Number.NaN,
    parseWhen(text, origin) {
      const [, date, minutes = '00:00', seconds = '00', offset] = WHEN.exec(text.trim()) ?? [];
      const wall = `${date} ${minutes}:${seconds}`;
      if (zoned(wall) === null) {
        throw usageError(
          `"${text}" (${origin}) is no date or date-time.`,
          'Give for example 2026-11-23, 2026-11-23T14:30 or 2026-11-23T14:30:00Z.',
        );
      }
      if (offset === undefined) return wall;
      return toWall(new Date(Temporal.Instant.from(`${wall}${offset}`).epochMilliseconds));
    },
  };
}

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400, w: 604_800};
const LONGEST_AGE_SECONDS = 1000 * 365 * 86_400;

/**
 * Seconds of an age such as `90d`, `12h`, `2w`, `30m` or `45s`; a day is always 24 hours.
 * @param origin where the text came from, for the error
 * @throws AtomctlError USAGE where it is none, or longer than a thousand years
 */
export function parseAge(text: string, origin: string): number {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(text.trim()) ?? [];
  const seconds = Number(count) * (SECONDS_PER_UNIT[unit ?? ''] ?? Number.NaN);
  if (seconds <= LONGEST_AGE_SECONDS) return seconds;
  throw usageError(`"${text}" (${origin}) is no age.`, 'Give for example 45s, 30m, 12h, 90d or 2w.');
}
