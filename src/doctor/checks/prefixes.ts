import {isAtomClass} from '../../atom/job-classes.ts';
import {counted} from '../../counted.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, type Outcome, warning} from '../finding.ts';

/** Function prefixes on the servers beside this site's own. */
export const PREFIX_CHECKS: readonly Check[] = [
  {id: 'other-prefixes', title: 'Other function prefixes', run: checkPrefixes},
];

/** What the servers have under one prefix, all servers together. */
interface PrefixCounts {
  waiting: number;
  running: number;
  workers: number;
}

async function checkPrefixes(site: SiteEvidence): Promise<Outcome> {
  const {prefix: own, otherPrefixes, prefixOrigin} = site.access;
  const counts = countByPrefix(await site.answering(), own);
  const known = await foreignPrefixes(site);
  const [ours, others] = [new Set(otherPrefixes), [...counts].filter(([prefix]) => !known.has(prefix))];
  const busy = others.filter(([, {waiting, running}]) => waiting + running > 0);
  if (busy.length > 0) {
    const abandoned = busy.filter(([, {waiting, workers}]) => waiting > 0 && workers === 0);
    return warning({
      evidence: busy.map(([prefix, found]) => describe(prefix, found, ours)).join(' '),
      consequence:
        abandoned.length > 0
          ? 'No worker runs the jobs that wait under a prefix without a worker. If they belong to this site, its root or workers_key was changed, or its cache is stale.'
          : 'If these jobs belong to this site, its root or workers_key was changed, or its cache is stale.',
      remedy:
        own === null
          ? `If they belong to this site: --function-prefix ${busy[0]![0] || "''"}`
          : 'If they belong to another site, add it to the configuration file of atomctl. If they belong to this site, start a worker in its old root until they are done, or start the jobs again in AtoM.',
    });
  }
  if (own === null && others.length > 0) {
    return warning({
      evidence: `The function prefix of this site is not known (${prefixOrigin}). ${others.map(([prefix, found]) => describe(prefix, found, ours)).join(' ')}`,
      consequence: 'atomctl cannot distinguish the jobs of this site from those of other sites.',
      remedy:
        others.length === 1
          ? 'Give --function-prefix auto, which uses the only prefix.'
          : `Give the prefix of this site: --function-prefix ${others[0]![0]}`,
    });
  }
  const idle = others.map(([prefix]) => prefix);
  if (idle.length === 0) return healthy('No function of AtoM has the prefix of an unknown site.');
  return healthy(`Workers of unknown sites are connected, without jobs: ${idle.map(nameOf).join(', ')}.`);
}

/** Known to be other sites'; none if that cannot be found out. */
async function foreignPrefixes(site: SiteEvidence): Promise<ReadonlySet<string>> {
  const reports = await site.answering();
  return site.access.foreignPrefixes({
    functions: reports.flatMap(({functions}) => functions.map((row) => splitFunctionName(row.function))),
    connections: new Map(reports.map(({address, connections}) => [address, connections])),
  });
}

/** Only classes of AtoM: another program on the server may have any function without a prefix. */
function countByPrefix(
  reports: Awaited<ReturnType<SiteEvidence['answering']>>,
  own: string | null,
): Map<string, PrefixCounts> {
  const found = new Map<string, PrefixCounts>();
  for (const {function: name, total, running, workers} of reports.flatMap(({functions}) => functions)) {
    const {prefix, jobClass} = splitFunctionName(name);
    const key = prefix ?? '';
    if (key === own || !isAtomClass(jobClass) || (total === 0 && workers === 0)) continue;
    const counts = found.get(key) ?? {waiting: 0, running: 0, workers: 0};
    counts.waiting += total - running;
    counts.running += running;
    counts.workers = Math.max(counts.workers, workers);
    found.set(key, counts);
  }
  return found;
}

function describe(
  prefix: string,
  {waiting, running, workers}: PrefixCounts,
  ours: ReadonlySet<string>,
): string {
  const whose = ours.has(prefix) ? ' (also of this site, from its cache or another environment)' : '';
  const who = workers === 0 ? 'without a worker' : `with ${counted(workers, 'worker')}`;
  return `${nameOf(prefix)}${whose}: ${counted(waiting, 'job')} waiting, ${running} running, ${who}.`;
}

function nameOf(prefix: string): string {
  return prefix === '' ? 'No prefix' : `Prefix ${prefix}`;
}
