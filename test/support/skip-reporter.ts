import type {Reporter, TestCase, Vitest} from 'vitest/node';

/** Prints each skipped test with its reason, and fails the run if one has none: `context.skip('reason')`. */
export default class SkipReporter implements Reporter {
  /** Under `-t` all that does not match counts as skipped, and needs no reason. */
  #onlySome = false;

  onInit(vitest: Vitest): void {
    this.#onlySome = vitest.config.testNamePattern !== undefined;
  }

  onTestCaseResult(testCase: TestCase): void {
    const result = testCase.result();
    if (result.state !== 'skipped' || this.#onlySome) return;
    console.log(`skipped: ${testCase.fullName}: ${result.note ?? 'NO REASON GIVEN'}`);
    if (result.note === undefined) process.exitCode = 1;
  }
}
