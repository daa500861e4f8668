import type {TestProject} from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** What the property tests of this run draw their cases from. */
    seed: number;
  }
}

/** Draws one seed for the whole run and prints it, so that a failure can be repeated. */
export default function setUp(project: TestProject): void {
  const seed = Number(process.env.FC_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`Property tests: FC_SEED=${seed} repeats this run.`);
  project.provide('seed', seed);
}
