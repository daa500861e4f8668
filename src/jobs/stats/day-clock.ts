import type {SiteTime} from '../../atom/site-time.ts';

/** Seconds by which UTC is ahead of the wall clock on a whole day; null if the clocks change on it. */
type Offset = number | null;

const DAY = 86_400;

/**
 * A site's clock for hundreds of thousands of times, which are numbers: seconds from 1970 on the wall clock, as if it were
 * UTC. The zone is asked about once a day of the calendar, and about the time itself only on the days on which the clocks
 * change.
 */
export class DayClock {
  readonly #time: SiteTime;
  readonly #offsets = new Map<number, Offset>();

  constructor(time: SiteTime) {
    this.#time = time;
  }

  /** Seconds since 1970 in UTC. */
  toEpochSeconds(wallSeconds: number): number {
    const day = Math.floor(wallSeconds / DAY);
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      offset = this.#offsetOf(day);
      this.#offsets.set(day, offset);
    }
    return offset === null ? this.#epochSeconds(wallSeconds) : wallSeconds + offset;
  }

  #offsetOf(day: number): Offset {
    const [first, last] = [day * DAY, (day + 1) * DAY - 1];
    const offset = this.#epochSeconds(first) - first;
    return this.#epochSeconds(last) - last === offset ? offset : null;
  }

  #epochSeconds(wallSeconds: number): number {
    return this.#time.toEpochMs(wallText(wallSeconds)) / 1000;
  }
}

/** The first and the last second that MySQL stores, and the first that it counts as JavaScript does: it has no 0000-02-29. */
const FIRST = Date.parse('0000-01-01T00:00:00Z') / 1000;
const SAME_COUNT = Date.parse('0000-03-01T00:00:00Z') / 1000;
const LAST = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** `YYYY-MM-DD HH:MM:SS`; beyond what MySQL stores, its first or last second. */
function wallText(wallSeconds: number): string {
  const counted = wallSeconds < SAME_COUNT ? wallSeconds - DAY : wallSeconds;
  const stored = Math.min(Math.max(counted, FIRST), LAST);
  return new Date(stored * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** The day of a time on the wall clock, as a number. */
export function dayOf(wallSeconds: number): number {
  return Math.floor(wallSeconds / DAY);
}

/** `YYYY-MM-DD`. */
export function dayText(day: number): string {
  return wallText(day * DAY).slice(0, 10);
}

const WALL = /^\d{4}-\d\d-\d\d (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/** Seconds on the wall clock of a text `YYYY-MM-DD HH:MM:SS` since 1970; null if it is something else, or no real date. */
export function parseWall(text: string | null): number | null {
  if (text === null || !WALL.test(text)) return null;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const midnight = Date.UTC(year, month - 1, twoDigits(text, 8));
  // JavaScript takes 31 February for 3 March, month 13 for January, and the year 70 for 1970.
  if (year < 1970 || new Date(midnight).getUTCMonth() !== month - 1) return null;
  return midnight / 1000 + twoDigits(text, 11) * 3600 + twoDigits(text, 14) * 60 + twoDigits(text, 17);
}

const ZERO = 48;

/** Several times faster than Number() on a part of the text. */
function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
