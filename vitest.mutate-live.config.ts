import {defineConfig} from 'vitest/config';
import {BaseSequencer, type TestSpecification} from 'vitest/node';

/** The unit tests, which take moments, before the simulation: the first test that fails ends the run. */
class UnitTestsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isUnit = ({moduleId}: TestSpecification) => moduleId.includes('/test/unit/');
    return [...files.filter(isUnit), ...files.filter((file) => !isUnit(file))];
  }
}

/** The tests that `npm run mutate:live` runs for each mutant of src/jobs/live: its unit tests, and the simulation in small. */
export default defineConfig({
  test: {
    include: ['test/unit/jobs/{health,live}/**/*.test.ts', 'test/simulation/*.test.ts'],
    env: {SIMULATION_HISTORIES: '300', SIMULATION_STORIES: '0'},
    sequence: {sequencer: UnitTestsFirst},
    testTimeout: 600_000,
  },
});
