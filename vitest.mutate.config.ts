import {defineConfig} from 'vitest/config';

/**
 * The unit tests as `npm run mutate` runs them, without servers. Two kinds cannot run there: those that read the
 * sources or other tests as text, and those that change TZ, since Stryker runs the tests in a thread.
 */
export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    exclude: [
      'test/unit/architecture.test.ts',
      'test/unit/faults-table.test.ts',
      'test/unit/atom/site-time.test.ts',
      'test/unit/cli/flags/filter-flags.test.ts',
      'test/unit/doctor/checks/site-facts.test.ts',
      'test/unit/doctor/run-checks.test.ts',
      'test/unit/host/observed-clock.test.ts',
      'test/unit/jobs/model/duration.test.ts',
      'test/unit/jobs/stats/day-clock.test.ts',
      'test/unit/render/worker.test.ts',
    ],
  },
});
