import {defineConfig} from 'vitest/config';

/** `npm run test:atom`: against an installed AtoM, which ATOM_ROOT names. */
export default defineConfig({
  test: {
    include: ['test/atom/**/*.test.ts'],
    reporters: ['default', './test/support/skip-reporter.ts'],
    globalSetup: 'test/atom/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // They share one copy of the installation.
    fileParallelism: false,
  },
});
