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

/** `YYYY-MM-DD HH:MM:SS`. */
function wallText(wallSeconds: number): string {
  return new Date(wallSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** The day of a time on the wall clock, as a number. */
export function dayOf(wallSeconds: number): number {
  return Math.floor(wallSeconds / DAY);
}

/** `YYYY-MM-DD`. */
export function dayText(day: number): string {
  return wallText(day * DAY).slice(0, 10);
}

const COLON = 58;
const DASH = 45;

/** Seconds on the wall clock of a text `YYYY-MM-DD HH:MM:SS`; null if it is something else. */
export function parseWall(text: string | null): number | null {
  if (text?.length !== 19 || text.charCodeAt(4) !== DASH || text.charCodeAt(16) !== COLON) return null;
  const seconds =
    Date.UTC(
      twoDigits(text, 0) * 100 + twoDigits(text, 2),
      twoDigits(text, 5) - 1,
      twoDigits(text, 8),
      twoDigits(text, 11),
      twoDigits(text, 14),
      twoDigits(text, 17),
    ) / 1000;
  return seconds > 0 ? seconds : null;
}

const ZERO = 48;

/** Several times faster than Number() on a part of the text. Two characters that are no digits may give any number. */
function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
