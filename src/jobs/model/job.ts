export interface JobNote {
  text: string;
  /** True if AtoM marked the note as an error (note type 197). */
  error: boolean;
}

/** A job as every command shows it and as `--json` prints it. */
export interface Job {
  id: number;
  /** `job.name`: the job class, or the translated or clipboard name that AtoM stores instead. */
  name: string;
  status: JobStatus;
  /** null if it was not requested or the job has ended. */
  live: LiveState | null;
  /** The state that the evidence points to, for an uncertain job; otherwise null. */
  likely: LiveState | null;
  /** One sentence: what proves the live state, or what is missing; null if `live` is. */
  liveReason: string | null;
  /** ISO 8601 with the site's offset, from `object.created_at` (a wall-clock time in the site's zone). */
  startedAt: string | null;
  /** When a worker began the job, by the log's first line; null without one, or if the log was not read. */
  begunAt: string | null;
  finishedAt: string | null;
  /** Whole seconds; of a running job up to now. */
  durationSeconds: number | null;
  /** Whole seconds from the start to `begunAt`; null without it, or if it is the earlier of both. */
  waitedSeconds: number | null;
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
  /** The last dated log line's time, ISO 8601 with offset; null if there is none or the log is cut. */
  lastActivityAt: string | null;
  /** The parameters that the worker logged, as JSON; null before the job first starts. */
  parameters: unknown;
}

export type StatusCounts = Record<JobStatus, number>;

/**
 * The one table of job statuses: AtoM's term ids, atomctl's names, and how each is shown.
 * AtoM's QubitTerm defines 183 (in progress), 184 (completed) and 185 (error); the column may be NULL.
 */
export const STATUSES = {
  running: {termId: 183, label: 'Running', csvLabel: 'Running', color: 'yellow', finished: false},
  completed: {termId: 184, label: 'Completed', csvLabel: 'Completed', color: 'green', finished: true},
  error: {termId: 185, label: 'Error', csvLabel: 'Error', color: 'red', finished: true},
  unknown: {termId: null, label: 'Unknown', csvLabel: 'Unknown', color: 'dim', finished: true},
} as const;

/** SQL: a row does not say Running, also if it has no status. Its value is the term of Running. */
export const HAS_ENDED = '(job.status_id <> ? OR job.status_id IS NULL)';

export type JobStatus = keyof typeof STATUSES;
export const JOB_STATUSES = Object.keys(STATUSES) as JobStatus[];

const STATUS_BY_TERM_ID = new Map<number, JobStatus>(
  JOB_STATUSES.flatMap((status) => {
    const {termId} = STATUSES[status];
    return termId === null ? [] : [[termId, status]];
  }),
);

/** The status for `job.status_id`; `unknown` if AtoM stores none or an id that it does not define. */
export function statusFromTermId(termId: number | null): JobStatus {
  return (termId === null ? undefined : STATUS_BY_TERM_ID.get(termId)) ?? 'unknown';
}

/** The term id of a note that AtoM marks as an error (since 2021; older error notes have NULL). */
export const ERROR_NOTE_TYPE_ID = 197;

/** What a job that the database calls running really is; see live-state.ts. */
export const LIVE_STATES = {
  executing: {label: 'executing', color: 'green', meaning: 'a worker is executing it'},
  queued: {label: 'queued', color: 'cyan', meaning: 'it waits in Gearman for a worker'},
  finished: {label: 'finished', color: 'green', meaning: 'its work is done; only the row was not saved'},
  lost: {label: 'lost', color: 'red', meaning: 'no Gearman server knows it and no worker can be running it'},
  uncertain: {label: 'uncertain', color: 'yellow', meaning: 'its state cannot be proved'},
} as const;

export type LiveState = keyof typeof LIVE_STATES;
export const LIVE_STATE_NAMES = Object.keys(LIVE_STATES) as LiveState[];
