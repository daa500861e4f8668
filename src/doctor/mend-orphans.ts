import {orphansOf, orphanWords, settledBefore} from './orphan-checks.ts';
import {removeOrphans} from './orphans.ts';
import type {Remedy} from './remedy.ts';
import {counted} from './words.ts';

/** Removes what DELETE FROM job left behind. */
export const ORPHANED_ROWS: Remedy = {
  id: 'orphans',
  checks: ['orphans'],
  plan: async (examination) => {
    const orphans = await orphansOf(examination);
    return orphans.objects === 0 ? null : `${orphanWords(orphans)} of jobs that are gone would be deleted.`;
  },
  steps: async function* (examination) {
    yield* removeOrphans(await examination.database(), settledBefore(examination));
  },
  report: (count) =>
    `${counted(count, 'orphaned object')} deleted, with all that hung on ${count === 1 ? 'it' : 'them'}.`,
};
