import type {Examination} from './examination.ts';

/** Something that the doctor mends without harm. */
export interface Remedy {
  id: string;
  /** It is called for where one of these checks found fault. */
  checks: readonly string[];
  /** What it would do, one sentence; null where there is nothing to do. */
  plan(examination: Examination): Promise<string | null>;
  /**
   * Does it in steps, each checked again at its moment and whole in itself; yields how much each step did. It may be
   * left between two steps.
   * @param by who mends, as an error note names them: user@host
   */
  steps(examination: Examination, by: string): AsyncIterable<number>;
  /** What was done, one sentence. */
  report(count: number): string;
}
