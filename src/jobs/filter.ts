import type {JobStatus, LiveState} from './status.ts';

/**
 * Which jobs a command speaks of. Every given criterion must hold; within a repeatable one, any value.
 * Bounds go by the job's start: since inclusive, until exclusive, olderThan strictly older.
 * Times are wall-clock texts `YYYY-MM-DD HH:MM:SS` in the site's zone, as AtoM stores them.
 */
export interface JobFilter {
  ids?: number[];
  statuses?: JobStatus[];
  /** Job names; `*` is a wildcard, everything else is literal and the comparison is exact. */
  names?: string[];
  /** Usernames; null stands for jobs with no user. */
  users?: (string | null)[];
  since?: string;
  until?: string;
  olderThan?: string;
  live?: LiveState[];
}
