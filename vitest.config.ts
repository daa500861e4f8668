import {defineConfig} from 'vitest/config';

const results = process.env.TEST_RESULTS;

/** What hosts without Node.js get: to servers, on a terminal, with its assets. `npm run test:package` has the rest. */
const EXECUTABLE = {
  test: {
    name: 'executable',
    include: ['test/e2e/{completion,help,list,show-export,watch}.test.ts', 'test/package/code-cache.test.ts'],
    globalSetup: 'test/package/executable-setup.ts',
    env: {ATOMCTL_EXECUTABLE: 'build/atomctl'},
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
};
const executable = process.platform === 'linux' && process.arch === 'x64' ? [EXECUTABLE] : [];
if (executable.length === 0) console.warn('Tests of the executable are left out: it is for Linux on x64.');

export default defineConfig({
  test: {
    // On two cores Vitest would take one: the tests with servers wait more than they work.
    maxWorkers: 2,
    reporters: [
      'default',
      './test/support/skip-reporter.ts',
      ...(results ? [['json', {outputFile: results}] as ['json', {outputFile: string}]] : []),
    ],
    projects: [
      // Random cases take longer than five seconds on a busy machine.
      {test: {name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000}},
      {
        test: {
          name: 'property',
          include: ['test/property/**/*.test.ts'],
          globalSetup: 'test/property/global-setup.ts',
          testTimeout: 60_000,
        },
      },
      // Thousands of random histories; see test/simulation/simulation.ts.
      {test: {name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 600_000}},
      {
        test: {
          name: 'servers',
          include: ['test/{integration,faults,e2e,attacks}/**/*.test.ts'],
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      ...executable,
      {
        test: {
          name: 'systemd',
          include: ['test/systemd/**/*.test.ts'],
          globalSetup: 'test/systemd/global-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: {groupOrder: 1},
        },
      },
    ],
  },
});
