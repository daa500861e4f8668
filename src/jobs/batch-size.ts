/** Short enough that half a second is seldom reached. */
const TRANSACTION_MS = 350;
/** MySQL gives up the index for a list of many more ids (range_optimizer_max_mem_size). */
const MOST_JOBS = 10_000;
const FIRST_JOBS = 1000;
const FEWEST_JOBS = 100;

/**
 * How many jobs one transaction takes. Unless it is given, it follows the time of the last one, so that locks are
 * held for a third of a second on a fast server and on a slow one; it never more than doubles at once.
 */
export class BatchSize {
  jobs: number;
  readonly #fixed: boolean;

  constructor(given: number | null) {
    this.#fixed = given !== null;
    this.jobs = given ?? FIRST_JOBS;
  }

  /** @param milliseconds how long the last transaction took, of as many jobs as it was to take */
  learn(milliseconds: number): void {
    if (this.#fixed) return;
    const wanted = Math.round((this.jobs * TRANSACTION_MS) / Math.max(milliseconds, 1));
    this.jobs = Math.min(Math.max(wanted, FEWEST_JOBS), MOST_JOBS, this.jobs * 2);
  }
}
