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

const WALL = /^\d{4}-\d\d-\d\d \d\d:[0-5]\d:[0-5]\d$/;
const WHEN =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/** An hour of the wall clock that the zone has once and whole, so that all of its times have one offset. */
interface PlainHour {
  startMs: number;
  /** As ISO 8601 has it: `-08:00`. */
  offset: string;
}

/** A history of years has tens of thousands of hours; more are not kept. */
const HOURS_KEPT = 20_000;
const HOUR_MS = 3_600_000;

/**
 * The clock of a zone. What it finds out about an hour it keeps: a long list of jobs has many times in few hours.
 * @param zone an IANA zone that this Node knows
 */
export async function loadSiteTime(zone: string): Promise<SiteTime> {
  const [PlainDateTime, ZonedDateTime, Instant] = await Promise.all([
    import('temporal-polyfill/fns/PlainDateTime'),
    import('temporal-polyfill/fns/ZonedDateTime'),
    import('temporal-polyfill/fns/Instant'),
  ]);
  const hours = new Map<string, PlainHour | null>();

  function zoned(wall: string) {
    const [year, month, day, hour, minute, second] = wall.split(/[- :]/).map(Number);
    try {
      const plain = PlainDateTime.create(year!, month!, day!, hour, minute, second);
      return PlainDateTime.toZonedDateTime(plain, zone, {disambiguation: 'compatible'});
    } catch {
      return null;
    }
  }

  const iso = (time: NonNullable<ReturnType<typeof zoned>>) =>
    ZonedDateTime.toString(time, {timeZoneName: 'never', smallestUnit: 'second'});

  /** The hour in which a wall-clock time lies; null where the clock was changed in it, or it is no hour. */
  function plainHour(wall: string): PlainHour | null {
    const name = wall.slice(0, 13);
    const known = hours.get(name);
    if (known !== undefined) return known;
    const ends = [zoned(`${name}:00:00`), zoned(`${name}:59:59`)];
    const [first, last] = ends.map((end) =>
      end && iso(end).startsWith(name.replace(' ', 'T')) ? end : null,
    );
    const plain = first && last && last.epochMilliseconds - first.epochMilliseconds === HOUR_MS - 1000;
    const hour = plain ? {startMs: first.epochMilliseconds, offset: ZonedDateTime.offset(first)} : null;
    if (hours.size === HOURS_KEPT) hours.clear();
    hours.set(name, hour);
    return hour;
  }

  function toIso(wall: string): string | null {
    if (!WALL.test(wall)) return null;
    const hour = plainHour(wall);
    if (hour !== null) return `${wall.slice(0, 10)}T${wall.slice(11)}${hour.offset}`;
    const time = zoned(wall);
    return time && iso(time);
  }

  function toEpochMs(wall: string): number {
    if (!WALL.test(wall)) return Number.NaN;
    const hour = plainHour(wall);
    if (hour === null) return zoned(wall)?.epochMilliseconds ?? Number.NaN;
    return hour.startMs + (Number(wall.slice(14, 16)) * 60 + Number(wall.slice(17))) * 1000;
  }

  function toWall(instant: Date): string {
    const local = Instant.toZonedDateTimeISO(Instant.fromEpochMilliseconds(instant.getTime()), zone);
    return iso(local).slice(0, 19).replace('T', ' ');
  }

  return {
    zone,
    toWall,
    toIso,
    toEpochMs,
    parseWhen(text, origin) {
      const [, date, minutes = '00:00', seconds = '00', offset] = WHEN.exec(text.trim()) ?? [];
      const wall = `${date} ${minutes}:${seconds}`;
      if (toIso(wall) === null) {
        throw usageError(
          `"${text}" (${origin}) is no date or date-time.`,
          'Give for example 2026-11-23, 2026-11-23T14:30 or 2026-11-23T14:30:00Z.',
        );
      }
      if (offset === undefined) return wall;
      return toWall(new Date(Instant.fromString(`${wall}${offset}`).epochMilliseconds));
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
