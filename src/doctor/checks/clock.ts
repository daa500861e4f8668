import {hours} from '../../host/observed-clock.ts';
import {STATUSES} from '../../jobs/model/job.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, someOf, warning} from '../finding.ts';

/** Whether the site's wall clock is what atomctl takes it for. */
export const CLOCK_CHECKS: readonly Check[] = [{id: 'clock', title: "The site's clock", run: checkClock}];

/** The clocks of two hosts may differ by this much without a wrong zone. */
const SKEW_MS = 2 * 60_000;
const SHOWN_ROWS = 5;
const CONSEQUENCE =
  'Ages and durations are wrong by that much, and no job is called lost before its age is sure.';

async function checkClock(site: SiteEvidence): Promise<Outcome> {
  const {zone} = site.access.time;
  const faults = [
    ...(await futureStarts(site)),
    ...(await observedDifference(site)),
    ...(await zoneDataDifference(site)),
  ];
  const remedy = `Set default_timezone in apps/qubit/config/settings.yml, or tell atomctl the zone in which AtoM writes: --timezone ZONE`;
  if (faults.length > 0) return warning({evidence: faults.join(' '), consequence: CONSEQUENCE, remedy});
  const {zoneOrigin} = site.access;
  if (zoneOrigin === 'default') {
    return warning({
      evidence: `No default_timezone was found, so ${zone} is assumed.`,
      consequence: 'If PHP uses another zone, every age is wrong by the difference.',
      remedy,
    });
  }
  const {reason} = await site.access.clock();
  return healthy(`${zone} (${zoneOrigin}). ${reason}`);
}

/** Running jobs, and the newest one, whose start has not come yet: a proof that the zone is wrong. */
async function futureStarts(site: SiteEvidence): Promise<string[]> {
  const {time, now} = site.access;
  const database = await site.database().catch((error: unknown) => {
    if (error instanceof NotAvailable) return null;
    throw error;
  });
  if (database === null) return [];
  const rows = await database.query<{id: number; start: string}>(
    `SELECT job.id, object.created_at AS start
     FROM job JOIN object ON object.id = job.id
     WHERE (job.status_id = ? OR job.id = (SELECT MAX(id) FROM job)) AND object.created_at > ?
     ORDER BY object.created_at DESC LIMIT ${SHOWN_ROWS}`,
    [STATUSES.running.termId, time.toWall(new Date(now().getTime() + SKEW_MS))],
  );
  if (rows.length === 0) return [];
  const jobs = someOf(rows.map(({id, start}) => `${id} (${start})`));
  return [
    `In the zone ${time.zone} it is ${time.toWall(now())}, and the start of job ${jobs} lies in the future.`,
  ];
}

async function observedDifference(site: SiteEvidence): Promise<string[]> {
  const {aheadMs, reason} = await site.access.clock();
  return aheadMs === null || aheadMs === 0 ? [] : [reason];
}

/** PHP on Debian and Ubuntu reads the system's zone data, Node its own. */
async function zoneDataDifference(site: SiteEvidence): Promise<string[]> {
  const {time, now, systemOffsetMs} = site.access;
  const instant = now();
  const system = await systemOffsetMs(time.zone, instant);
  if (system === null) return [];
  const second = Math.floor(instant.getTime() / 1000) * 1000;
  const nodes = Date.parse(`${time.toWall(instant).replace(' ', 'T')}Z`) - second;
  if (nodes === system) return [];
  return [
    `The zone data of this system and of Node differ by ${hours(system - nodes)} for ${time.zone} now; PHP reads those of the system, or its own.`,
  ];
}
