import base from './stryker.config.json' with {type: 'json'};

/** `npm run mutate:live`: src/jobs/live by its unit tests and by the simulation. */
export default {
  ...base,
  mutate: ['src/jobs/live/*.ts'],
  vitest: {configFile: 'vitest.mutate-live.config.ts'},
  // What a module holds from its load on, as the proofs and their clauses, counts too.
  ignoreStatic: false,
  htmlReporter: {fileName: 'reports/mutation-live.html'},
  jsonReporter: {fileName: 'reports/mutation-live.json'},
  reporters: [...base.reporters, 'json'],
};
