import {counted} from '../../counted.ts';
import {endedJobs, type JobProblem, jobsWithoutRows, stalledWorkers} from '../../jobs/health/job-problems.ts';
import type {SharedFault} from '../../queue/severity.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, shared} from '../finding.ts';

/** What Gearman shows that the rows of the jobs do not explain. */
export const QUEUE_JOB_CHECKS: readonly Check[] = [
  {id: 'stalled-workers', title: 'Workers that execute nothing while jobs wait', run: checkStalled},
  {id: 'jobs-without-rows', title: 'Jobs in Gearman without a running row', run: checkSurplus},
];

async function checkStalled(site: SiteEvidence): Promise<Outcome> {
  await requireQuietServers(site);
  const {stalls} = await site.crossCheck();
  if (stalls.length === 0) return healthy('No job waits while a worker that can run it executes nothing.');
  return outcomeOf(
    'stalled workers',
    stalls.map((stall) => stalledWorkers(stall, site.access)),
  );
}

async function checkSurplus(site: SiteEvidence): Promise<Outcome> {
  await requireQuietServers(site);
  const {surplus, ended, cancelled} = await site.crossCheck();
  if (surplus.length + ended.length === 0) {
    const except =
      cancelled === 0
        ? ''
        : `, except for ${counted(cancelled, 'cancelled job')} that gearmand removes when a worker asks for work`;
    return healthy(
      `In no queue of this site are there more jobs than running rows in the database${except}.`,
    );
  }
  return outcomeOf('jobs without rows', [...endedJobs(ended), ...surplus.map(jobsWithoutRows)]);
}

/** Jobs that another atomctl holds look like jobs that run. */
async function requireQuietServers(site: SiteEvidence): Promise<void> {
  await site.answering();
  const {evidence} = await site.live();
  if (evidence.servers.some(({probing}) => probing))
    throw new NotAvailable('Another atomctl is probing the queue.');
}

function outcomeOf(fault: SharedFault, problems: readonly JobProblem[]): Outcome {
  const distinct = (texts: readonly string[]) => [...new Set(texts)];
  return shared(fault, {
    evidence: problems.map(({message}) => message).join(' '),
    consequence: distinct(problems.map(({consequence}) => consequence)).join(' '),
    remedy: distinct(problems.map(({remedy}) => remedy)).join('; '),
  });
}
