/** Times in the model are epoch milliseconds of true time; AtoM writes whole seconds. */
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * The true time, and what atomctl makes of a time that PHP wrote. Seen (run): Node's and PHP's zone
 * data may differ by multiples of a quarter of an hour; the worker's journal shows both clocks and removes the error. Of a
 * wall-clock time that occurs twice atomctl takes the later one, so times of the first pass are read an
 * hour late, whether the offset was observed or not.
 */
export class Clock {
  nowMs = Date.UTC(2026, 10, 25, 20, 0, 0);
  readonly observed: boolean;
  private readonly errorMs: number;
  /** Begin of the first pass of the hour that occurs twice; null if there is none. */
  private readonly foldMs: number | null;

  constructor(quarters: number, observed: boolean, foldedHour: boolean) {
    this.observed = observed;
    this.errorMs = observed ? 0 : quarters * 15 * MINUTE;
    this.foldMs = foldedHour ? this.nowMs : null;
  }

  /** A true time as atomctl reads it from a row or a log line. */
  asRead(trueMs: number): number {
    const folded = this.foldMs !== null && trueMs >= this.foldMs && trueMs < this.foldMs + HOUR;
    return Math.floor(trueMs / SECOND) * SECOND + this.errorMs + (folded ? HOUR : 0);
  }

  /** The same, but of a wall-clock time that occurs twice the earlier one: the second pass is read an hour early. */
  asReadEarliest(trueMs: number): number {
    const second = this.foldMs !== null && trueMs >= this.foldMs + HOUR && trueMs < this.foldMs + 2 * HOUR;
    return Math.floor(trueMs / SECOND) * SECOND + this.errorMs - (second ? HOUR : 0);
  }

  /** A wrong zone is off by less than 26 hours. */
  get uncertaintyMs(): number {
    return this.observed ? 0 : 26 * HOUR;
  }
}
