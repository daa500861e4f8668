import {
  earliestEpochMs,
  knownZone,
  type LocalTime,
  localTime,
  wallToEpochMs,
  type ZoneEnvironment,
} from './zone.ts';

/**
 * A site's clock. AtoM stores wall-clock texts, `YYYY-MM-DD HH:MM:SS` in PHP's zone, without an offset. A time that
 * the zone skipped counts from the offset before the gap; of one that it had twice, the second is meant: a job of that
 * hour may be younger than it seems, and must not be cleared or called lost for its age.
 */
export interface SiteTime {
  readonly zone: string;
  /** ISO 8601 with offset, seconds; null if it is not a date, such as MySQL's 0000-00-00. */
  toIso(wall: string): string | null;
  /** Milliseconds since 1970 in UTC; NaN if it is not a date. */
  toEpochMs(wall: string): number;
  /** The same, but of a time that the zone had twice the first. */
  toEarliestMs(wall: string): number;
  /** The wall-clock text of an instant, without fractions of a second. */
  toWall(instant: Date): string;
  /**
   * The wall-clock text below which every stored time is earlier than the instant, whichever of its two times a
   * repeated one means. It is the instant's own, except the first time in a repeated hour: then it is that hour's begin.
   */
  wallBefore(instant: Date): string;
}

const WALL = /^\d{4}-\d\d-\d\d (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/** An hour of the wall clock in which the clock is not changed, so that all of its times have one offset. */
interface PlainHour {
  startMs: number;
  /** How much earlier the clock showed the same hour for the first time; 0 if it did not. */
  earlierMs: number;
  /** `YYYY-MM-DDTHH` */
  start: string;
  /** As ISO 8601 has it: `-08:00`. */
  offset: string;
}

/** A history of several years has tens of thousands of hours; at most so many are kept. */
const HOURS_KEPT = 20_000;
const HOUR_MS = 3_600_000;
/** The character code of `0`. */
const ZERO = 48;

/**
 * The clock of a zone. It keeps what it learns about an hour: a long list of jobs has many times in few hours.
 * @param zone an IANA zone
 * @param env Node's own environment, `process.env`; its TZ is changed
 * @throws RangeError if Node does not know the zone
 */
export function createSiteTime(zone: string, env: ZoneEnvironment): SiteTime {
  const name = knownZone(zone, env);
  if (name === null) throw new RangeError(`Unknown timezone: ${zone}`);
  const hours = new Map<string, PlainHour | null>();
  let last: {hour: string; found: PlainHour | null} = {hour: ' ', found: null};

  /** The hour in which a wall-clock time lies; null if the clock was changed in it, or it is not an hour. */
  function plainHour(wall: string): PlainHour | null {
    // Jobs come in the order in which they were started, so most are in the same hour as the one before.
    if (wall.startsWith(last.hour)) return last.found;
    const hour = wall.slice(0, 13);
    let found = hours.get(hour);
    if (found === undefined) {
      found = findPlainHour(hour, name!, env);
      if (hours.size === HOURS_KEPT) hours.clear();
      hours.set(hour, found);
    }
    last = {hour, found};
    return found;
  }

  function toEpochMs(wall: string): number {
    if (!WALL.test(wall)) return Number.NaN;
    const hour = plainHour(wall);
    if (hour === null) return wallToEpochMs(wall, name!, env);
    return hour.startMs + (twoDigits(wall, 14) * 60 + twoDigits(wall, 17)) * 1000;
  }

  function toEarliestMs(wall: string): number {
    if (!WALL.test(wall)) return Number.NaN;
    const hour = plainHour(wall);
    return hour === null ? earliestEpochMs(wall, name!, env) : toEpochMs(wall) - hour.earlierMs;
  }

  function toIso(wall: string): string | null {
    const hour = WALL.test(wall) ? plainHour(wall) : null;
    if (hour !== null) return `${hour.start}${wall.slice(13)}${hour.offset}`;
    const epochMs = toEpochMs(wall);
    return Number.isNaN(epochMs) ? null : iso(localTime(epochMs, name!, env));
  }

  const toWall = (instant: Date) => localTime(instant.getTime(), name!, env).wall;

  return {
    zone,
    toWall,
    wallBefore: (instant) => wallBefore(instant, name!, env),
    toIso,
    toEpochMs,
    toEarliestMs,
  };
}

function wallBefore(instant: Date, zone: string, env: ZoneEnvironment): string {
  const ms = Math.floor(instant.getTime() / 1000) * 1000;
  const wall = localTime(ms, zone, env).wall;
  const laterMs = wallToEpochMs(wall, zone, env);
  if (!(laterMs > ms)) return wall;
  // The clock is put back between the two: the first second with the later offset.
  let [low, high] = [ms, laterMs];
  const {offset} = localTime(high, zone, env);
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (localTime(middle, zone, env).offset === offset) high = middle;
    else low = middle;
  }
  return localTime(high, zone, env).wall;
}

function iso({wall, offset}: LocalTime): string {
  return `${wall.slice(0, 10)}T${wall.slice(11)}${offset}`;
}

/** The number in these two digits: several times faster than Number() on a part of the text. */
function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

/** @param hour `YYYY-MM-DD HH` */
function findPlainHour(hour: string, zone: string, env: ZoneEnvironment): PlainHour | null {
  const ends = [wallToEpochMs(`${hour}:00:00`, zone, env), wallToEpochMs(`${hour}:59:59`, zone, env)];
  const [startMs, endMs] = ends as [number, number];
  if (endMs - startMs !== HOUR_MS - 1000) return null;
  const [first, last] = [localTime(startMs, zone, env), localTime(endMs, zone, env)];
  // If the zone skipped a part of the hour, or all of it, the ends show other times.
  if (!first.wall.startsWith(hour) || !last.wall.startsWith(hour)) return null;
  const earlier = [
    startMs - earliestEpochMs(`${hour}:00:00`, zone, env),
    endMs - earliestEpochMs(`${hour}:59:59`, zone, env),
  ];
  if (earlier[0] !== earlier[1]) return null;
  return {startMs, earlierMs: earlier[0]!, start: hour.replace(' ', 'T'), offset: first.offset};
}
