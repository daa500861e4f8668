import type {Queryable} from '../../mysql/database.ts';
import type {Job} from '../model/job.ts';
import {isCut} from '../model/log.ts';
import {noSuchJob} from '../model/show.ts';
import {isLost, type PollOptions, poll} from './poll.ts';
import {isEnded} from './wait.ts';

/** What the log has gained since it was last read. */
export interface LogPart {
  text: string;
  /** True if the log no longer begins with what was read: `text` is then all of it. */
  restarted: boolean;
  /** True if the log reached its cap: what the job writes from here on is lost. */
  cut: boolean;
}

/** SHA-256 of the empty text. */
const DIGEST_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Reads one job's log in parts: only new text is sent, and no character twice. */
export class LogReader {
  readonly #id: number;
  #text = '';
  /** In characters as the server counts them; JavaScript counts UTF-16 units. */
  #length = 0;
  #digest = DIGEST_OF_NOTHING;

  constructor(id: number) {
    this.#id = id;
  }

  /** What is new. Fails as a whole: after an error the next call gives what this one would have given. */
  async read(database: Queryable): Promise<LogPart> {
    const [row] = await database.query<{length: number; digest: string; same: number; fresh: string}>(
      `SELECT CHAR_LENGTH(log) AS length, SHA2(log, 256) AS digest, same,
              IF(same, SUBSTRING(log, ? + 1), log) AS fresh
       FROM (SELECT log, SHA2(LEFT(log, ?), 256) = ? AS same
             FROM (SELECT COALESCE(output, '') AS log FROM job WHERE id = ?) AS stored) AS compared`,
      [this.#length, this.#length, this.#digest, this.#id],
    );
    if (row === undefined) return {text: '', restarted: false, cut: false};
    const restarted = row.same === 0;
    this.#text = restarted ? row.fresh : this.#text + row.fresh;
    this.#length = row.length;
    this.#digest = row.digest;
    return {text: row.fresh, restarted, cut: isCut(this.#text)};
  }
}

export interface FollowOptions extends PollOptions {
  id: number;
  /** Reads the job (undefined if it has no row), and after it what its log has gained. */
  fetch: () => Promise<{job: Job | undefined; log: LogPart}>;
}

/** Why the following ended. */
export type FollowEnd = 'finished' | 'lost' | 'deleted';

export interface FollowStep {
  /** As last seen. */
  job: Job;
  log: LogPart;
  /** null while the job is running. */
  end: FollowEnd | null;
}

/**
 * Yields the job and what its log gains, until its end. The worker writes the last line before it changes the
 * row, so if the row is read first, the log of a job that has ended is complete.
 * @throws AtomctlError NO_SUCH_JOB if the first poll finds no row
 */
export async function* followJob(options: FollowOptions): AsyncGenerator<FollowStep> {
  let last: Job | undefined;
  for await (const {job, log} of poll(options.fetch, options)) {
    if (job === undefined && last === undefined) throw noSuchJob(options.id);
    last = job ?? last!;
    const end = endOf(job);
    yield {job: last, log, end};
    if (end !== null) return;
  }
}

function endOf(job: Job | undefined): FollowEnd | null {
  if (job === undefined) return 'deleted';
  if (isEnded(job)) return 'finished';
  return isLost(job) ? 'lost' : null;
}
