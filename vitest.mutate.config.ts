import {defineConfig} from 'vitest/config';

/** The unit tests as `npm run mutate` runs them: without servers, and without the test that reads the sources. */
export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    exclude: ['test/unit/architecture.test.ts'],
  },
});
