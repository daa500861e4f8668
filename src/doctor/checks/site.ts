import {findStaleCaches} from '../../atom/config/stale-cache.ts';
import {workersFix} from '../../queue/verdict.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, someOf, warning} from '../finding.ts';

/** The AtoM installation itself. */
export const SITE_CHECKS: readonly Check[] = [
  {id: 'stale-cache', title: 'Configuration cache', run: checkCache},
];

async function checkCache({access: {root, commands}}: SiteEvidence): Promise<Outcome> {
  if (root === null) throw new NotAvailable('No AtoM installation was found: give --atom-root.');
  const stale = await findStaleCaches(root);
  if (stale.length === 0) return healthy('No compiled configuration is older than its source.');
  return warning({
    evidence: `Older than their sources: ${someOf(stale.map(({cache, source}) => `${cache} (made from ${source})`))}.`,
    consequence: 'AtoM and its workers still use the old servers, job classes or workers_key.',
    remedy: workersFix(commands, root),
  });
}
