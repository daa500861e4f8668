import type {JobStatus, LiveState} from '../model/job.ts';

/** Why a job is in its state, as `jobs:why --json` prints it. Each fact that is not available is null. */
export interface JobWhy {
  id: number;
  /** `job.name`. */
  name: string;
  /** The live state of a job that the database calls running, otherwise its status. */
  state: LiveState | Exclude<JobStatus, 'running'>;
  /** The state that the evidence points to, if `state` is uncertain. */
  likely: LiveState | null;
  /** Sentences: what proves the state, or what is missing for a proof. */
  proof: string[];
  /** Its place among the jobs of its class that wait on its server: 1 is next. */
  position: number | null;
  /** The jobs before it there, the next one first. One whose payload names no job is left out. */
  ahead: number[] | null;
  /** The older move or import for which AtoM lets it wait. */
  blockedBy: number | null;
  /** How many of the ten tries, ten seconds apart, it has used to wait for that one. */
  triesUsed: number | null;
  /** The worker that executes it. */
  worker: WhyWorker | null;
  /** The connected workers that can do it, and what they execute. */
  ableWorkers: AbleWorker[] | null;
  /** That worker's process; of an import whose worker has ended, the import's. */
  process: WhyProcess | null;
  /** ISO 8601 with the site's offset: the last dated line of its log. */
  lastActivityAt: string | null;
  /** The message of that line. */
  lastLine: string | null;
  /** The last "N of M" that its log or notes have. */
  progress: {done: number; total: number} | null;
  usual: WhyUsual | null;
  advice: {message: string; command: string};
  /** Why a fact is null, a sentence, by the fact's name: `position`, `process.query`, `process.children[0].query`. */
  missing: Record<string, string>;
}

/** A worker, as Gearman knows it. */
export interface WhyWorker {
  /** As it calls itself: `pid_<PID>_<hex>` for AtoM's. */
  id: string;
  /** On its own host or in its container; null if its id does not say it. */
  pid: number | null;
  /** The address from which it is connected. */
  host: string;
}

export interface AbleWorker extends WhyWorker {
  /** The job that it executes; null if it executes none, or if Gearman does not show which. */
  executes: number | null;
  /** True if no server has a running job that it could have; null if it may have one of those that run. */
  idle: boolean | null;
}

/** A process, with what it used since it began. */
export interface WhyProcess {
  pid: number;
  /** Its arguments; passwords in them are masked. */
  command: string;
  cpuSeconds: number;
  /** From and to disks. */
  readBytes: number | null;
  writtenBytes: number | null;
  memoryBytes: number | null;
  children: WhyProcess[];
  /** What its session executes in the database now: the beginning, without passwords. */
  query: string | null;
  querySeconds: number | null;
}

/** How long the completed jobs of its name took from their begin to their end. */
export interface WhyUsual {
  count: number;
  medianSeconds: number;
  p95Seconds: number;
  /** ISO 8601: the job's begin and the median. */
  expectedEndAt: string | null;
}
