import type {JobStatus, LiveState} from './status.ts';

export interface JobNote {
  text: string;
  /** True where AtoM marked the note as an error (note type 197). */
  error: boolean;
}

/** A job as every command shows it and as `--json` prints it. */
export interface Job {
  id: number;
  /** `job.name`: the job class, or the translated or clipboard name that AtoM stores instead. */
  name: string;
  status: JobStatus;
  /** null where it was not asked for or the job is finished. */
  live: LiveState | null;
  /** ISO 8601 with the site's offset, from `object.created_at` (a wall-clock time in the site's zone). */
  startedAt: string | null;
  finishedAt: string | null;
  /** Whole seconds; of a running job up to now. */
  durationSeconds: number | null;
  /** Username; null for the command line, an anonymous visitor or a deleted user. */
  user: string | null;
  userId: number | null;
  objectId: number | null;
  /** AtoM's module name of the object: `informationobject`, `actor`, ... */
  objectType: string | null;
  objectSlug: string | null;
  /** Relative to the AtoM root. */
  downloadPath: string | null;
  notes: JobNote[];
}

/** What `jobs:show` knows beyond the list. */
export interface JobDetails extends Job {
  /** `job.output`, whole. */
  log: string;
  /** The last dated log line's time, ISO 8601 with offset; null where there is none or the log is cut. */
  lastActivityAt: string | null;
  /** The parameters that the worker logged, as JSON; null before the job first starts. */
  parameters: unknown;
}

export type StatusCounts = Record<JobStatus, number>;
