import {staleRoot} from '../../atom/config/stale-cache.ts';
import {counted} from '../../counted.ts';
import {functionName} from '../../queue/function-name.ts';
import {type QueueFunction, queueFunctions} from '../../queue/functions.ts';
import {oldHoldProblems, oldHolds} from '../../queue/probe/old-holds.ts';
import {type ServerReport, skippedText} from '../../queue/server-report.ts';
import {servedClasses} from '../../queue/status.ts';
import {UNREAD_LINES_REMEDY, workersFix} from '../../queue/verdict.ts';
import type {WorkerUnit} from '../evidence/worker-units.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, shared, someOf, warning} from '../finding.ts';

/** The Gearman servers, and the workers that are connected to them. */
export const GEARMAN_CHECKS: readonly Check[] = [
  {id: 'gearman-servers', title: 'Gearman servers', run: checkServers},
  {id: 'site-workers', title: "This site's workers", run: checkWorkers},
  {id: 'job-classes', title: 'A worker for each job class', run: checkClasses},
  {id: 'old-holds', title: 'Holds that no probe gave back', run: checkHolds},
  {id: 'idle-workers', title: 'Workers without abilities', run: checkIdle},
];

async function checkServers(site: SiteEvidence): Promise<Outcome> {
  const reports = await site.reports();
  const silent = reports.filter(({reachable}) => !reachable);
  const unread = reports.filter(({skippedLines}) => skippedLines > 0);
  if (silent.length === 0 && unread.length > 0) {
    return shared('lines that cannot be read', {
      evidence: unread.map(({address, skippedLines}) => skippedText(address, skippedLines)).join(' '),
      consequence: 'atomctl does not count the functions and workers in these lines.',
      remedy: UNREAD_LINES_REMEDY,
    });
  }
  if (silent.length === 0) return healthy(`${reports.map(versionText).join(', ')}.`);
  return shared('a server does not answer', {
    evidence: silent.map(({error}) => error).join(' '),
    consequence:
      'AtoM submits each job to one of its servers: it cannot submit jobs to this server, and workers get no jobs from it. If gearmand ended and kept its queue in memory (its default), the jobs that waited there are gone. If it only does not answer, it still has them.',
    remedy: [...new Set(silent.map(({hint}) => hint ?? 'Check that gearmand runs on this server.'))].join(
      ' ',
    ),
  });
}

function versionText({address, version}: ServerReport): string {
  return `${address} answers${version === null ? '' : `, version ${version}`}`;
}

/** The functions of this site that have a worker. @throws NotAvailable if the prefix is not known */
async function servedFunctions(site: SiteEvidence): Promise<{own: QueueFunction[]; others: QueueFunction[]}> {
  const {prefix, workerTypes} = site.access;
  const answering = await site.answering();
  if (prefix === null) {
    throw new NotAvailable(
      'The functions of this site are not known: give --atom-root or --function-prefix.',
    );
  }
  const jobClasses = Object.values(workerTypes).flat();
  const served = queueFunctions(answering, {prefix, jobClasses}).filter(
    ({workers, jobClass}) => workers > 0 && jobClass !== null,
  );
  return {
    own: served.filter(({thisSite}) => thisSite),
    others: served.filter(({thisSite}) => !thisSite),
  };
}

async function checkWorkers(site: SiteEvidence): Promise<Outcome> {
  const {own, others} = await servedFunctions(site);
  const {prefix, root, commands} = site.access;
  const ownPrefix = prefix === '' ? 'no prefix' : `prefix ${prefix}`;
  if (own.length > 0)
    return healthy(`${counted(own.length, 'job class', 'job classes')} with ${ownPrefix} have a worker.`);
  const isActive = await requireRunningUnit(site);
  const prefixes = [...new Set(others.map((row) => row.prefix ?? 'none'))];
  const consequence = 'No worker runs the jobs of this site.';
  if (prefixes.length === 0) {
    const evidence = `No worker of this site (${ownPrefix}) or of another site is connected.`;
    return shared('no worker of the site', {
      evidence,
      consequence,
      remedy: workersFix(commands, await staleRoot(root), isActive ? undefined : commands.startWorker),
    });
  }
  return shared('no worker of the site', {
    evidence: `No worker of this site (${ownPrefix}) is connected. Workers with another function prefix are connected: ${someOf(prefixes)}.`,
    consequence: `${consequence} If those workers belong to this site, its root was moved, workers_key was changed, or they use another path (in a container).`,
    remedy: `${workersFix(commands, await staleRoot(root))}; if the workers always use another path: --function-prefix ${prefixes[0]}`,
  });
}

/** A unit that does not run explains why no worker is connected; checkUnit reports it. @returns false without a unit */
async function requireRunningUnit(site: SiteEvidence): Promise<boolean> {
  const units = await site.units().catch(noUnits);
  const down = units.find(({unit}) => unit.active !== 'active');
  if (down) throw new NotAvailable(`${down.unit.name} does not run, so no worker is connected.`);
  return units.length > 0;
}

function noUnits(error: unknown): WorkerUnit[] {
  if (error instanceof NotAvailable) return [];
  throw error;
}

async function checkClasses(site: SiteEvidence): Promise<Outcome> {
  const {prefix, workerTypes, root, commands} = site.access;
  const {own} = await servedFunctions(site);
  if (own.length === 0) throw new NotAvailable('No worker of this site is connected.');
  const plugins = await site.plugins().catch((error: unknown) => {
    if (error instanceof NotAvailable) return null;
    throw error;
  });
  const {required: classes, unknown} = servedClasses(Object.values(workerTypes).flat(), plugins);
  const leftOut =
    unknown.length === 0
      ? ''
      : ` Not checked: ${someOf(unknown)}, because atomctl cannot find out if its plugin is enabled.`;
  if (classes.length === 0) throw new NotAvailable('No gearman.yml with worker_types was found.');
  const answering = await site.answering();
  const gaps = answering.flatMap((report) => {
    const missing = classes.filter((jobClass) => !isServed(report, functionName(prefix, jobClass)));
    return missing.length === 0 ? [] : [{report, missing}];
  });
  if (gaps.length === 0) {
    return healthy(
      `All ${classes.length} job classes of gearman.yml have a worker on ${answering.map(({address}) => address).join(', ')}.${leftOut}`,
    );
  }
  const everywhere = classes.some(
    (jobClass) => gaps.filter(({missing}) => missing.includes(jobClass)).length === answering.length,
  );
  const fault = everywhere
    ? 'a job class without a worker'
    : 'a job class without a worker on one of several servers';
  return shared(fault, {
    evidence: gaps
      .map(({report, missing}) => `${report.address} has no worker for ${someOf(missing)}.`)
      .join(' '),
    consequence:
      'AtoM submits each job to one of its servers; jobs of these classes on this server have no worker.',
    remedy: workersFix(commands, await staleRoot(root)),
  });
}

function isServed({functions}: ServerReport, name: string): boolean {
  return functions.some((row) => row.function === name && row.workers > 0);
}

async function checkHolds(site: SiteEvidence): Promise<Outcome> {
  const {time, now} = site.access;
  const problems = oldHoldProblems(oldHolds(await site.answering(), now().getTime()), time.toWall);
  if (problems.length === 0) return healthy('No client holds jobs longer than a probe of atomctl lasts.');
  return shared('old holds', {
    evidence: problems.map(({message}) => message).join(' '),
    consequence: [...new Set(problems.map(({consequence}) => consequence))].join(' '),
    remedy: [...new Set(problems.map(({remedy}) => remedy))].join('; '),
  });
}

/** AtoM's workers call themselves `pid_<PID>_<hex>`; other connections without functions are clients. */
async function checkIdle(site: SiteEvidence): Promise<Outcome> {
  const {restartWorker, seeWorkerOutput} = site.access.commands;
  const answering = await site.answering();
  const idle = answering.flatMap(({address, connections}) =>
    connections
      .filter(({id, functions}) => /^pid_\d+_/.test(id) && functions.length === 0)
      .map(({id}) => `${id} on ${address}`),
  );
  if (idle.length === 0) return healthy('Every connected worker has registered its abilities.');
  return warning({
    evidence: `${counted(idle.length, 'worker')} without registered abilities: ${someOf(idle)}.`,
    consequence: 'Such a worker is connected, but gets no jobs.',
    remedy: `${restartWorker}; for the reason: ${seeWorkerOutput}`,
  });
}
