import {defineConfig} from 'vitest/config';

/** The tests of `npm run test:package`: all that a user does with atomctl, on the executable, and what is released. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/support/skip-reporter.ts'],
    include: ['test/e2e/**/*.test.ts'],
    // About the npm package and the clone.
    exclude: ['test/e2e/{demo,manifest,start-up}.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    env: {ATOMCTL_EXECUTABLE: 'build/atomctl'},
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
