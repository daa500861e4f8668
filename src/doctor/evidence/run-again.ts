import {AtomctlError} from '../../errors.ts';
import {showJob} from '../../jobs/model/show.ts';
import {runAgain} from '../../jobs/retry/run-again.ts';
import type {SiteEvidence} from '../evidence.ts';

/** So many logs are read at most. */
const MOST_JOBS = 5;

/** How the first of these jobs that jobs:retry would take is run again; if it takes none, what to do about the first. */
export async function howToRunAgain(site: SiteEvidence, ids: readonly number[]): Promise<string> {
  const {time, now} = site.access;
  const database = await site.database();
  let instead = '';
  for (const id of ids.slice(0, MOST_JOBS)) {
    const job = await showJob({database, time, now: now(), id}).catch(nullIfGone);
    if (job === null) continue;
    const again = runAgain(job);
    if ('command' in again) return `To run job ${id} again: ${again.command}`;
    instead ||= again.instead;
  }
  return instead;
}

function nullIfGone(error: unknown): null {
  if (error instanceof AtomctlError && error.code === 'NO_SUCH_JOB') return null;
  throw error;
}
