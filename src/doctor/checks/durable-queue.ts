import {counted} from '../../counted.ts';
import {ignoredEntries} from '../../jobs/live/ignored-entries.ts';
import {isOwnFunction, PROBE_LOCK, splitFunctionName} from '../../queue/function-name.ts';
import {ownerOf} from '../../queue/snapshot.ts';
import type {LocalServer} from '../evidence/local-gearmand.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome} from '../finding.ts';

/** How gearmand keeps its queue, and what a restart would lose. A queue in memory is the default, so it gets a remark. */
export const DURABLE_QUEUE_CHECKS: readonly Check[] = [
  {id: 'gearmand-queue', title: 'Where Gearman keeps its queue', run: checkStore},
];

/** gearmand's name for a queue that it keeps in memory alone. */
const IN_MEMORY = 'builtin';

async function checkStore(site: SiteEvidence): Promise<Outcome> {
  const known = (await site.localServers()).filter(({options}) => options !== null);
  if (known.length === 0)
    throw new NotAvailable('No process of gearmand for these ports was found on this host.');
  const stores = known.map((server) => ({server, type: typeOf(server)}));
  const inMemory = stores.filter(({type}) => type === IN_MEMORY).map(({server}) => server.address);
  const elsewhere = (await site.access.servers()).length - known.length;
  const evidence = [
    `${stores.map(storeText).join('; ')}.`,
    ...stores.flatMap(({server, type}) => plannedText(server, type)),
    ...(elsewhere === 0
      ? []
      : [
          `Of ${counted(elsewhere, 'other server')} this is not known: they run on other hosts or in containers.`,
        ]),
  ];
  if (inMemory.length === 0) {
    const remedy = 'Take --store-queue-on-shutdown out of the options of gearmand.';
    return healthy(evidence.join(' '), known.some(storesAtShutdown) ? {remedy} : {});
  }
  const {own, others, running, cancelled, held} = await waitingJobs(site, new Set(inMemory));
  const among = cancelled === 0 ? '' : `, ${cancelled} of them cancelled`;
  const holds = held.length === 0 ? '' : ` ${heldText(held)}`;
  return healthy(
    [
      ...evidence,
      `A restart now would lose ${counted(own, 'waiting job')} of this site and ${others} of others${among}; ${running} ${running === 1 ? 'is' : 'are'} executing.${holds}`,
    ].join(' '),
    {
      consequence:
        'The rows of lost jobs still say Running. Executing jobs continue, but are not handed out again if their worker ends.',
      remedy:
        'Let gearmand keep its queue on disk: add --queue-type=libsqlite3 --libsqlite3-db=FILE to PARAMS in /etc/default/gearman-job-server. Before a restart: atomctl queue:save FILE',
    },
  );
}

function typeOf({options}: Pick<LocalServer, 'options'>): string {
  return options?.get('queue-type')?.toLowerCase() || IN_MEMORY;
}

/** Of an atomctl that reads or holds jobs: Gearman says that they execute. */
function heldText(addresses: readonly string[]): string {
  return `On ${addresses.join(', ')} another atomctl (queue:hold, queue:save or a probe) holds jobs now: there, executing ones count as waiting.`;
}

/** gearmand takes the option without a value. */
function storesAtShutdown({options}: Pick<LocalServer, 'options'>): boolean {
  const value = options?.get('store-queue-on-shutdown');
  return value !== undefined && !/^(?:0|false|no|off)$/i.test(value);
}

function storeText({server, type}: {server: LocalServer; type: string}): string {
  const {address, options, planned} = server;
  const atShutdown =
    type !== IN_MEMORY && storesAtShutdown(server)
      ? ', but writes it only when it is shut down (--store-queue-on-shutdown): a crash or kill -9 loses the waiting jobs'
      : '';
  const source = options === planned?.options ? ` by ${planned?.file} (its process is hidden)` : '';
  return `${address} keeps its queue in ${type === IN_MEMORY ? 'memory' : type}${source}${atShutdown}`;
}

/** What counts from the next start, if that is another way. */
function plannedText({address, options, planned}: LocalServer, type: string): string[] {
  if (planned === null || options === planned.options) return [];
  const next = typeOf(planned);
  return next === type
    ? []
    : [
        `From its next start on, ${address} uses ${next === IN_MEMORY ? 'memory' : next}, by ${planned.file}.`,
      ];
}

/**
 * The jobs on these servers: waiting ones of this site and of others, cancelled ones among them, and executing ones. Of the servers of
 * which an atomctl holds jobs, which are `held`, executing ones count as waiting.
 */
async function waitingJobs(site: SiteEvidence, addresses: ReadonlySet<string>) {
  const {prefixes} = site.access;
  const reports = (await site.answering()).filter(({address}) => addresses.has(address));
  const ignored = await ignoredEntries(await site.access.servers());
  const held = reports
    .filter(({functions}) => functions.some((row) => row.function === PROBE_LOCK && row.running > 0))
    .map(({address}) => address);
  const count = {own: 0, others: 0, running: 0, cancelled: 0, held};
  for (const {address, functions} of reports) {
    count.cancelled += ignored.get(address) ?? 0;
    for (const {function: name, total, running} of functions) {
      if (isOwnFunction(name)) continue;
      const owner = ownerOf(splitFunctionName(name), prefixes, new Set());
      const executing = held.includes(address) ? 0 : running;
      count[owner === 'site' ? 'own' : 'others'] += total - executing;
      count.running += executing;
    }
  }
  return count;
}
