import {defineConfig} from 'vitest/config';

/** The tests of `npm run test:package`: all that users do with atomctl, on the executable; and what is in release. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/support/skip-reporter.ts'],
    projects: [
      {
        test: {
          name: 'executable',
          include: ['test/{attacks,e2e}/**/*.test.ts', 'test/package/code-cache.test.ts'],
          // About the npm package and the clone.
          exclude: ['test/e2e/{demo,manifest,start-up}.test.ts'],
          globalSetup: 'test/package/executable-setup.ts',
          env: {ATOMCTL_EXECUTABLE: 'build/atomctl'},
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          exclude: ['test/package/code-cache.test.ts'],
          globalSetup: 'test/package/rig-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: {groupOrder: 1},
        },
      },
    ],
  },
});
