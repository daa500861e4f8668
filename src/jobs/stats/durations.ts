/** How long a group of jobs waited or took. A quantile may lie between two of them, so it need not be whole. */
export interface DurationSummary {
  /** Seconds with at most three decimals, as the other two. */
  median: number;
  p95: number;
  max: number;
}

/** Durations counted by the second: exact quantiles in the memory of the seconds that occur, not of the jobs. */
export class Durations {
  readonly #jobsBySecond = new Map<number, number>();

  add(seconds: number): void {
    this.#jobsBySecond.set(seconds, (this.#jobsBySecond.get(seconds) ?? 0) + 1);
  }

  /** The figures of all that was added; null if nothing was. */
  summary(): DurationSummary | null {
    const counted = [...this.#jobsBySecond].sort(([one], [other]) => one - other);
    const last = counted.at(-1);
    if (last === undefined) return null;
    const jobs = counted.reduce((total, [, count]) => total + count, 0);
    return {
      median: quantile(counted, jobs, 0.5),
      p95: quantile(counted, jobs, 0.95),
      max: last[0],
    };
  }
}

/** Interpolates between neighbours, as spreadsheets' PERCENTILE and SQL's PERCENTILE_CONT do. */
function quantile(counted: readonly [number, number][], jobs: number, share: number): number {
  const rank = (jobs - 1) * share;
  const below = at(counted, Math.floor(rank));
  const above = at(counted, Math.ceil(rank));
  // The share of a rank has no exact binary form: 11738639.999999998 is meant to be 11738640.
  return Math.round((below + (above - below) * (rank - Math.floor(rank))) * 1000) / 1000;
}

/** The duration of the job with this rank, from 0, when the jobs stand in the order of their durations. */
function at(counted: readonly [number, number][], rank: number): number {
  let passed = 0;
  for (const [seconds, count] of counted) {
    passed += count;
    if (passed > rank) return seconds;
  }
  return Number.NaN;
}
