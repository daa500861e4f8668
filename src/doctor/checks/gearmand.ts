import type {GearmandOptions} from '../evidence/local-gearmand.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, warning} from '../finding.ts';

/**
 * How gearmand is configured, if it runs on this host. The defaults of a stock installation get a remark, not a
 * warning.
 */
export const GEARMAND_CHECKS: readonly Check[] = [
  {id: 'gearmand-network', title: "Gearman's network", run: checkNetwork},
  {id: 'gearmand-retries', title: "Gearman's retries", run: checkRetries},
];

async function checkNetwork(site: SiteEvidence): Promise<Outcome> {
  const servers = await site.localServers();
  const open = servers.filter(({everyInterface}) => everyInterface).map(({address}) => address);
  if (open.length === 0) {
    return healthy(`${servers.map(({address}) => address).join(', ')}: not open on every interface.`);
  }
  return warning({
    evidence: `${open.join(', ')}: open on every interface of this host.`,
    consequence:
      'Gearman has no access control: anyone who can connect to the port can read, add and cancel jobs.',
    remedy:
      'Add --listen=localhost to PARAMS in /etc/default/gearman-job-server, or close the port in the firewall.',
  });
}

/** The options of each gearmand, by its address. @throws NotAvailable if no process was found */
async function gearmands(site: SiteEvidence): Promise<{address: string; options: GearmandOptions}[]> {
  const servers = await site.localServers();
  const found = servers.flatMap(({address, options}) => (options === null ? [] : [{address, options}]));
  if (found.length === 0)
    throw new NotAvailable('No process of gearmand for these ports was found on this host.');
  return found;
}

async function checkRetries(site: SiteEvidence): Promise<Outcome> {
  const all = await gearmands(site);
  const limits = all.map(({address, options}) => ({address, limit: Number(options.get('job-retries') ?? 0)}));
  const evidence = `${limits.map(({address, limit}) => `${address} hands a job out ${limit === 0 ? 'again each time its worker dies' : `${limit} times at most`}`).join('; ')}.`;
  const limited = limits.some(({limit}) => limit > 0);
  return healthy(evidence, {
    consequence: limited
      ? 'If gearmand drops a job at the limit, the job is lost: its row still says Running.'
      : 'If a job crashes its worker, it also crashes the next worker, until the job is killed.',
    remedy: limited
      ? 'Increase or remove --job-retries.'
      : 'For such a job, this says how to end it: atomctl jobs:kill ID',
  });
}
