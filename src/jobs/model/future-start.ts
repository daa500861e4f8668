/** The clocks of two hosts may differ by this much without a wrong zone. */
export const CLOCK_SKEW_MS = 2 * 60_000;

/**
 * True if a row's start proves that the site's zone is wrong: it has not come yet.
 * @param earliestMs the start; of a time that the clock showed twice, the first
 */
export function liesInFuture(earliestMs: number, nowMs: number): boolean {
  return earliestMs > nowMs + CLOCK_SKEW_MS;
}
