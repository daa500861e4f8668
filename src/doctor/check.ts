import type {Examination} from './examination.ts';
import type {Outcome} from './finding.ts';

/** One thing that the doctor looks at. */
export interface Check {
  /** Stable: scripts and `--skip` name it. */
  id: string;
  title: string;
  /** @throws NotExamined where what it needs cannot be had; AtomctlError where a server fails it */
  examine(examination: Examination): Promise<Outcome>;
}
