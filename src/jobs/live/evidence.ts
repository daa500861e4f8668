/**
 * What one reading of a site saw: plain data, from which verdict.ts derives the live state of each job. Times are
 * epoch milliseconds; a time that AtoM wrote is its wall clock, converted with the site's zone. Of a time that the clock
 * showed twice the second is meant, if nothing else is said.
 */

import type {PayloadFields} from '../../queue/payload.ts';

/** A server's answer for a job's unique key. */
export interface KnownJob {
  /** The queue that has the job: a function on a server. */
  queue: string;
  running: boolean;
}

/** A waiting job whose payload was read. */
export interface SeenPayload extends PayloadFields {
  queue: string;
}

/** A payload with what the server calls its job, to ask whether it still waits. */
export interface ProbedPayload extends SeenPayload {
  handle: string;
  /** `host:port`. */
  server: string;
}

/**
 * What the row's key is worth. `exact`: the key that AtoM computed. `doubtful`: the logged JSON does not show a PHP
 * value exactly, so AtoM's key may be another one. `cut`: the log ends within the parameters. `none`: no parameters were
 * logged.
 */
export type KeyQuality = 'exact' | 'doubtful' | 'cut' | 'none';

/** A row that says Running, in the first and in the second read. */
export interface RowEvidence {
  id: number;
  name: string;
  /** The object that the job belongs to; null if there is none, or if it was deleted. */
  objectId: number | null;
  /** When AtoM inserted the row; null if no time is stored. */
  createdMs: number | null;
  /** The same, but of a time that the clock showed twice, the first. */
  createdEarliestMs: number | null;
  /** When a worker began the job, the first time (of a time that the clock showed twice, the first) and the last. */
  begun: {earliestMs: number | null; lastMs: number | null} | null;
  /** The site's wall clock of the last of these times, for a reason. */
  begunAt?: string | null;
  /** How often the log says that a worker began the job. */
  starts: number;
  /** After its last `Job started.` the log has `Job finished.`. */
  finished: boolean;
  /** After its last `Job started.` the log has an error line, or the job finished and has an error note. */
  failed: boolean;
  /** The time of the last log line; null without one, or if the log is cut. */
  lastActivityMs: number | null;
  /** The log grew between the two reads. */
  logGrew: boolean;
  key: KeyQuality;
  /** Every server with a queue that may hold the job answered for its key. */
  keyAsked: boolean;
  known: KnownJob | null;
  /** An import's uploaded file (`file.tmp_name`), which is an argument of its child process. */
  importFile: string | null;
  /** Queues with jobs in them that may hold this row's job. */
  queues: readonly string[];
  /** A job that may be this row's came to Gearman while the processes were read: somebody submitted it again. */
  arrived: boolean;
}

/** Rows of one name that do not say Running. Gearman may still have a job of theirs. */
export interface EndedJobs {
  name: string;
  /** When the last of them ended; null if that is not stored. */
  latestMs: number | null;
  /**
   * The worker of one of them may not have told Gearman yet: it saves the row first, and goes on with a job whose row was
   * marked by hand.
   */
  atWork: boolean;
  /** The files that they import or imported. */
  importFiles: readonly string[];
}

/** One function on one server, as `status` counts it. */
export interface QueueCount {
  queue: string;
  /** `host:port`. */
  server: string;
  function: string;
  /** Whose the function is: this site's, or a prefix that may have been this site's before a deploy. */
  owner: 'site' | 'unknown';
  total: number;
  running: number;
}

/** A connection that can do jobs of this site, or of a prefix that may be this site's. */
export interface WorkerConnection {
  /** As the worker calls itself: `pid_<PID>_<hex>` for AtoM's. */
  id: string;
  /** null if the id is not AtoM's. */
  pid: number | null;
  ip: string;
  server: string;
  /** From an address of this host; false if that was not asked. */
  fromHere: boolean;
  /** Queues that it can do. */
  queues: readonly string[];
  /** It can do other functions too, which are not this site's and are not counted. */
  doesOthers?: boolean;
}

export interface ServerEvidence {
  /** `host:port`. */
  address: string;
  /** Why the server did not answer, a sentence; null if it did. */
  error: string | null;
  /** Another atomctl holds jobs of the server at this moment. */
  probing: boolean;
  /** Cancelled entries that wait until a worker polls. They are counted, and their keys are known, as not running. */
  ignored: number;
  /** When the server's process began; null if it is not a process of this host, or cannot be read. */
  startedMs: number | null;
  /** Listens on no address but this host's loopback. */
  onlyLoopback: boolean;
}

/** A process of a worker of this site, or of a child that imports a file. */
export interface SiteProcess {
  pid: number;
  startedMs: number;
  argv: readonly string[];
}

/** What runs on this host; `unreadable` is the reason if that cannot be told. */
export interface ProcessEvidence {
  unreadable: string | null;
  workers: readonly SiteProcess[];
  imports: readonly SiteProcess[];
  /** Workers of AtoM installations that use another database. */
  otherSites: ReadonlySet<number>;
}

/** How far the site's wall clock can be trusted. */
export interface ClockEvidence {
  nowMs: number;
  /** 0 if the zone's offset was observed, otherwise the largest error that a wrong zone can make. */
  uncertaintyMs: number;
  /** Why the offset is not sure, or how it was observed: a sentence. */
  reason: string;
}

/** Facts about this host and the configuration; gathered only if a row may be lost or finished. */
export interface HostEvidence {
  processes: ProcessEvidence;
  /** The configuration file says that the site's workers run on this host only. */
  workersStatedHere: boolean;
  /** Servers that AtoM's files name and that were not asked, because others were given; `host:port`. */
  serversNotAsked: readonly string[];
  /** Why the servers may not be those that the site uses, one sentence; null if they are. */
  serversDoubt: string | null;
  /** The newest modification of what names the servers and the prefix; null if there is no such file. */
  configChangedMs: number | null;
  clock: ClockEvidence;
}

export interface LiveEvidence {
  rows: readonly RowEvidence[];
  queues: readonly QueueCount[];
  servers: readonly ServerEvidence[];
  workers: readonly WorkerConnection[];
  payloads: readonly SeenPayload[];
  /** The newest rows that have ended, by name. Read only if counts may decide. */
  ended: readonly EndedJobs[];
  /** No count and no row changed while the evidence was gathered: counts and keys speak of one moment. */
  unchanged: boolean;
  /** The database can be written to and is not known as a replica, which may be behind. */
  writable: boolean;
  /** null if no row needs it. */
  host: HostEvidence | null;
  /** Jobs that were in no queue ten seconds before, on the monotonic clock. */
  seenBefore: ReadonlySet<number>;
}
