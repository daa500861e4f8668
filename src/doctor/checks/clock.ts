import {clockFaults} from '../../jobs/health/clock.ts';
import {clockProblems} from '../../jobs/health/job-problems.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, shared, warning} from '../finding.ts';

/** Whether the site's wall clock is what atomctl takes it for. */
export const CLOCK_CHECKS: readonly Check[] = [{id: 'clock', title: "The site's clock", run: checkClock}];

async function checkClock(site: SiteEvidence): Promise<Outcome> {
  const {time, zoneOrigin} = site.access;
  const [problem] = clockProblems(await clockFaults({...site.access, database: await databaseOf(site)}));
  if (problem !== undefined) {
    const {message: evidence, consequence, remedy} = problem;
    return shared('clocks that differ', {evidence, consequence, remedy});
  }
  if (zoneOrigin === 'default') {
    return warning({
      evidence: `No default_timezone was found, so atomctl assumes ${time.zone}.`,
      consequence: 'If PHP uses another timezone, all ages are wrong by the difference.',
      remedy:
        "Set default_timezone in apps/qubit/config/settings.yml, or give the timezone of AtoM's timestamps: --timezone ZONE",
    });
  }
  const {reason} = await site.access.clock();
  return healthy(`${time.zone} (${zoneOrigin}). ${reason}`);
}

/** null if it cannot be asked. */
function databaseOf(site: SiteEvidence) {
  return site.database().catch((error: unknown) => {
    if (error instanceof NotAvailable) return null;
    throw error;
  });
}
