import type {SiteDocument} from '../atom/site-document.ts';
import type {Finding} from '../doctor/finding.ts';
import type {ShownWorker} from '../jobs/live/busy-workers.ts';
import type {JobDetails} from '../jobs/model/job.ts';
import type {QueueReport} from '../queue/status.ts';
import type {JournalEntry} from '../systemd/journal.ts';

/** A part of a report, or the sentence that says why it is not there. */
export type Part<T> = {value: T} | {missing: string};

/** The versions of what works together; null for what is not known. */
export interface Versions {
  atomctl: string;
  /** The operating system. */
  system: string | null;
  systemd: string | null;
  atom: string | null;
  /** That of the site's worker; without one, that of this host. */
  php: string | null;
  database: string | null;
}

/** What a report is made of, in its order. */
export interface ReportParts {
  versions: Part<Versions>;
  config: Part<SiteDocument>;
  queue: Part<QueueReport>;
  workers: Part<ShownWorker[]>;
  doctor: Part<Finding[]>;
  /** The newest of the running jobs, and how many there are. */
  jobs: Part<{jobs: JobDetails[]; total: number}>;
  /** The newest lines of the journal of the worker's units. */
  journal: Part<JournalEntry[]>;
}

/** So many running jobs are in a report. */
export const MOST_JOBS = 20;
/** So many of the last lines of each log. */
export const LOG_LINES = 20;
/** So many of the last lines of the journal. */
export const JOURNAL_LINES = 50;
