import type {SiteTime} from '../../atom/site-time.ts';

/** Seconds since 1970 of a day's midnight, if the day is as long as its wall clock says; null otherwise. */
type Midnight = number | null;

const LAST_SECOND_OF_DAY = 86_399;

/**
 * A site's clock for hundreds of thousands of times: the zone is asked about once a day of the calendar, and about
 * the time itself only on the days on which the clocks change.
 */
export class DayClock {
  readonly #time: SiteTime;
  readonly #midnights = new Map<string, Midnight>();

  constructor(time: SiteTime) {
    this.#time = time;
  }

  /** Seconds since 1970 in UTC of a wall-clock text `YYYY-MM-DD HH:MM:SS`; NaN if it is not a date. */
  toEpochSeconds(wall: string): number {
    const day = wall.slice(0, 10);
    let midnight = this.#midnights.get(day);
    if (midnight === undefined) {
      midnight = this.#midnightOf(day);
      this.#midnights.set(day, midnight);
    }
    return midnight === null ? this.#time.toEpochMs(wall) / 1000 : midnight + secondsOfDay(wall);
  }

  #midnightOf(day: string): Midnight {
    const first = this.#time.toEpochMs(`${day} 00:00:00`) / 1000;
    const last = this.#time.toEpochMs(`${day} 23:59:59`) / 1000;
    return last - first === LAST_SECOND_OF_DAY ? first : null;
  }
}

function secondsOfDay(wall: string): number {
  return twoDigits(wall, 11) * 3600 + twoDigits(wall, 14) * 60 + twoDigits(wall, 17);
}

const ZERO = 48;

function twoDigits(wall: string, at: number): number {
  return (wall.charCodeAt(at) - ZERO) * 10 + wall.charCodeAt(at + 1) - ZERO;
}
