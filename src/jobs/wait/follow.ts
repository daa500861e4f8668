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
  anew: boolean;
  /** True if the log reached its cap: what the job writes from here on is lost. */
  cut: boolean;
}

/** SHA-256 of no text at all. */
const DIGEST_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Reads one job's log bit by bit: only what is new crosses the wire, and no character of it twice. */
export class LogReader {
  readonly #id: number;
  #text = '';
  /** In the server's characters, which are not JavaScript's. */
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
    if (row === undefined) return {text: '', anew: false, cut: false};
    const anew = row.same === 0;
    this.#text = anew ? row.fresh : this.#text + row.fresh;
    this.#length = row.length;
    this.#digest = row.digest;
    return {text: row.fresh, anew, cut: isCut(this.#text)};
  }
}

export interface FollowOptions extends PollOptions {
  id: number;
  /** One look: the job, undefined if it has no row, and after it what its log has gained. */
  look: () => Promise<{job: Job | undefined; log: LogPart}>;
}

/** How the following ended. */
export type FollowEnd = 'finished' | 'lost' | 'deleted';

export interface FollowStep {
  /** As last seen. */
  job: Job;
  log: LogPart;
  /** null while it goes on. */
  end: FollowEnd | null;
}

/**
 * The job and what its log gains, look by look, to its end. The worker writes the last line before it changes the
 * row, so a look that reads the row first has the whole log of a job that has ended.
 * @throws AtomctlError NO_SUCH_JOB if the first look finds no row
 */
export async function* followJob(options: FollowOptions): AsyncGenerator<FollowStep> {
  let last: Job | undefined;
  for await (const {job, log} of poll(options.look, options)) {
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
