import type {SiteTime} from '../../atom/site-time.ts';
import type {Queryable} from '../../mysql/database.ts';
import {STATUSES} from '../model/job.ts';
import {wallTime} from '../model/load-jobs.ts';
import {parseLogLines} from '../model/log.ts';
import {LIKE_OF_END} from '../model/own-notes.ts';
import {Durations} from '../stats/durations.ts';

/** `job.name` has no index: so many of the newest completed jobs are looked through. */
const LOOKED_THROUGH = 20_000;
const MOST = 1000;
/** Enough for the first line of a log. */
const HEAD_CHARACTERS = 200;
const IS_OF_END = LIKE_OF_END.map(() => 'note_i18n.content LIKE ?').join(' OR ');

export interface UsualDurations {
  count: number;
  medianSeconds: number;
  p95Seconds: number;
}

/**
 * How long the newest completed jobs of a name took, from the first line of their log (without a log, from their creation) to
 * their end: at most a thousand, of the newest 20,000 of the site. Jobs that were marked or killed do not count: nobody
 * knows when they ended. null if there is none.
 */
export async function usualDurations(
  database: Queryable,
  {name, time}: {name: string; time: SiteTime},
): Promise<UsualDurations | null> {
  const rows = await database.query<{created: string | null; ended: string | null; head: string | null}>(
    `SELECT object.created_at AS created, job.completed_at AS ended, LEFT(job.output, ${HEAD_CHARACTERS}) AS head
     FROM (SELECT id FROM job WHERE status_id = ? ORDER BY id DESC LIMIT ${LOOKED_THROUGH}) AS newest
     JOIN job ON job.id = newest.id JOIN object ON object.id = job.id
     WHERE job.name = ? AND NOT EXISTS (
       SELECT 1 FROM note JOIN note_i18n ON note_i18n.id = note.id
       WHERE note.object_id = job.id AND (${IS_OF_END}))
     ORDER BY job.id DESC LIMIT ${MOST}`,
    [STATUSES.completed.termId, name, ...LIKE_OF_END],
  );
  const durations = new Durations();
  let count = 0;
  for (const {created, ended, head} of rows) {
    const [start, first] = [wallTime(created), parseLogLines(head ?? '')[0]?.time ?? null];
    // A log that is older than its row was written with another clock.
    const begun = first !== null && first >= (start ?? '') ? first : start;
    const end = wallTime(ended);
    const seconds =
      begun === null || end === null ? Number.NaN : (time.toEpochMs(end) - time.toEpochMs(begun)) / 1000;
    if (!(seconds >= 0)) continue;
    durations.add(seconds);
    count += 1;
  }
  const summary = durations.summary();
  return summary && {count, medianSeconds: Math.round(summary.median), p95Seconds: Math.round(summary.p95)};
}
