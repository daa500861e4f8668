import {counted} from '../../counted.ts';
import {findOrphans, type Orphans} from '../evidence/orphans.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, type Outcome, someOf, warning} from '../finding.ts';

/** What deleted jobs left in the database. */
export const ORPHAN_CHECKS: readonly Check[] = [{id: 'orphans', title: 'Orphaned rows', run: checkOrphans}];

/** Longer than AtoM takes from a job's object to the job itself. */
const SETTLED_SECONDS = 60;

/** An object that is older than this wall-clock time has its job, or never gets one. */
export function settledBefore({access: {time, now}}: SiteEvidence): string {
  return time.toWall(new Date(now().getTime() - SETTLED_SECONDS * 1000));
}

export async function orphansOf(site: SiteEvidence): Promise<Orphans> {
  return findOrphans(await site.database(), settledBefore(site));
}

/** `3 objects with 5 notes and 1 property`. */
export function orphanCounts({objects, notes, properties}: Orphans): string {
  return `${counted(objects, 'object')} with ${counted(notes, 'note')} and ${counted(properties, 'property', 'properties')}`;
}

async function checkOrphans(site: SiteEvidence): Promise<Outcome> {
  const orphans = await orphansOf(site);
  if (orphans.objects === 0) return healthy('Every object of class QubitJob has its job.');
  return warning({
    evidence: `${orphanCounts(orphans)} belong to deleted jobs: ${someOf(orphans.ids, orphans.objects)}.`,
    consequence: 'DELETE FROM job leaves them behind; nothing ever uses or removes them.',
    remedy: 'atomctl doctor --fix',
  });
}
