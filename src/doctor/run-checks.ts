import {AtomctlError} from '../errors.ts';
import {CLOCK_CHECKS} from './checks/clock.ts';
import {DATABASE_CHECKS} from './checks/database.ts';
import {DOWNLOAD_CHECKS} from './checks/downloads.ts';
import {DURABLE_QUEUE_CHECKS} from './checks/durable-queue.ts';
import {GEARMAN_CHECKS} from './checks/gearman.ts';
import {GEARMAND_CHECKS} from './checks/gearmand.ts';
import {HISTORY_CHECKS} from './checks/history.ts';
import {ORPHAN_CHECKS} from './checks/orphans.ts';
import {PERMISSION_CHECKS} from './checks/permissions.ts';
import {PREFIX_CHECKS} from './checks/prefixes.ts';
import {QUEUE_JOB_CHECKS} from './checks/queue-jobs.ts';
import {RUNNING_JOB_CHECKS} from './checks/running-job.ts';
import {SEARCH_CHECKS} from './checks/search-engine.ts';
import {SITE_CHECKS} from './checks/site.ts';
import {WORKER_UNIT_CHECKS} from './checks/worker-units.ts';
import type {Check, SiteEvidence} from './evidence.ts';
import {type Failure, type Finding, NotAvailable, notChecked, type Outcome} from './finding.ts';

/** The checks to run, by their ids; absent: all. */
export interface Selection {
  only?: readonly string[];
  skip?: readonly string[];
}

export function isSelected(id: string, {only, skip}: Selection): boolean {
  return (only === undefined || only.includes(id)) && !skip?.includes(id);
}

/**
 * Runs the selected checks in the order of the table and returns what each found. A server that fails is a
 * finding, or the reason why a check was skipped.
 * @throws AtomctlError USAGE if a setting of the site is wrong
 */
export async function runChecks(site: SiteEvidence, selection: Selection = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    if (!isSelected(check.id, selection)) continue;
    const {id, title} = check;
    const {state, evidence, consequence, remedy} = await outcomeOf(check, site, findings);
    findings.push({
      id,
      state,
      title,
      evidence,
      consequence: consequence ?? null,
      remedy: remedy ?? null,
    });
  }
  return findings;
}

async function outcomeOf(
  check: Check,
  site: SiteEvidence,
  earlier: readonly Finding[],
): Promise<Omit<Outcome, 'state'> & Pick<Finding, 'state'>> {
  try {
    return await check.run(site);
  } catch (error) {
    if (error instanceof NotAvailable) {
      const {failure} = error;
      if (failure === null || isReported(failure, earlier))
        return {state: 'skipped', evidence: error.message};
      return notChecked(failure);
    }
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    return notChecked(error);
  }
}

function isReported({message}: Failure, findings: readonly Finding[]): boolean {
  return findings.some(
    ({state, evidence}) => state !== 'ok' && state !== 'skipped' && evidence.includes(message),
  );
}

/** All checks, in the order of the report: first what the others depend on. */
export const CHECKS: readonly Check[] = [
  ...DATABASE_CHECKS,
  ...GEARMAN_CHECKS,
  ...PREFIX_CHECKS,
  ...GEARMAND_CHECKS,
  ...DURABLE_QUEUE_CHECKS,
  ...SITE_CHECKS,
  ...SEARCH_CHECKS,
  ...CLOCK_CHECKS,
  ...WORKER_UNIT_CHECKS,
  ...PERMISSION_CHECKS,
  ...RUNNING_JOB_CHECKS,
  ...QUEUE_JOB_CHECKS,
  ...HISTORY_CHECKS,
  ...ORPHAN_CHECKS,
  ...DOWNLOAD_CHECKS,
];

export const CHECK_IDS = CHECKS.map(({id}) => id);
