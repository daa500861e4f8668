import {siteDocument} from '../../atom/site-document.ts';
import {readVersion} from '../../atom/version.ts';
import {collectSiteEvidence} from '../../doctor/evidence.ts';
import {runChecks} from '../../doctor/run-checks.ts';
import {AtomctlError} from '../../errors.ts';
import {readFile} from '../../files/sync-files.ts';
import {hostCommands} from '../../host-commands.ts';
import type {ShownWorker} from '../../jobs/live/busy-workers.ts';
import {listLiveJobs} from '../../jobs/live/list-live.ts';
import {totalJobs} from '../../jobs/model/count.ts';
import type {JobDetails} from '../../jobs/model/job.ts';
import {showJob} from '../../jobs/model/show.ts';
import {readPhpVersion} from '../../php/binary-version.ts';
import {askServers} from '../../queue/server-report.ts';
import {fetchQueueReport, type QueueReport} from '../../queue/status.ts';
import {queueWorkers} from '../../queue/workers.ts';
import {errorSentences} from '../../render/error.ts';
import {JOURNAL_LINES, MOST_JOBS, type Part, type ReportParts, type Versions} from '../../report/report.ts';
import {runTool} from '../../systemd/command.ts';
import {collectJournal, type JournalEntry} from '../../systemd/journal.ts';
import type {Context} from '../context.ts';
import {withJobs} from '../site/busy-workers.ts';
import {hostFacts} from '../site/host-facts.ts';
import {liveSources} from '../site/live.ts';
import {siteAccess} from '../site/site-access.ts';
import {foreignPrefixes, readSiteJobs} from '../site/site-jobs.ts';
import {findWorker} from '../worker/unit-flags.ts';

export interface CollectOptions {
  /** What `--version` prints. */
  atomctl: string;
  stuckAfterSeconds: number;
  notice: (text: string) => void;
}

/**
 * Everything that a report says, one part after the other: what one part connects, another would count. A server that does not
 * answer costs the parts that need it.
 * @throws AtomctlError USAGE if a setting of the site is wrong
 */
export async function collectParts(context: Context, options: CollectOptions): Promise<ReportParts> {
  const config = await part(async () => siteDocument(await context.site()));
  const queue = await part(() => queueReport(context));
  const workers = await part(() => connectedWorkers(context));
  const doctor = await part(async () => runChecks(collectSiteEvidence(await siteAccess(context, options))));
  const jobs = await part(() => runningJobs(context, options));
  const journal = await part(() => workerJournal(context));
  const versions = await part(() => readVersions(context, options));
  return {versions, config, queue, workers, doctor, jobs, journal};
}

async function part<T>(collect: () => Promise<T>): Promise<Part<T>> {
  try {
    return {value: await collect()};
  } catch (error) {
    if (error instanceof AtomctlError && error.code !== 'USAGE') return {missing: errorSentences(error)};
    throw error;
  }
}

async function readVersions(context: Context, {atomctl}: CollectOptions): Promise<Versions> {
  const {value: root} = await (await context.site()).root();
  const version = root === null ? null : await readVersion(root);
  return {
    atomctl,
    system: await systemName(),
    systemd: await systemdVersion(context.timeoutSeconds),
    atom: version?.join('.') ?? null,
    php: await phpVersion(context),
    database: await context.database().then(({server}) => server.version, ignored),
  };
}

/** Another part of the report says what is wrong. */
function ignored(error: unknown): null {
  if (error instanceof AtomctlError) return null;
  throw error;
}

async function systemName(): Promise<string | null> {
  const text = await readFile('/etc/os-release').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? null;
}

async function systemdVersion(deadlineSeconds: number): Promise<string | null> {
  const printed = await runTool('systemctl', ['--version'], {deadlineSeconds}).catch(ignored);
  return /^systemd (.+)/.exec(printed?.stdout ?? '')?.[1] ?? null;
}

const USUAL_PHP = ['/usr/bin/php', '/usr/local/bin/php'];

/** The interpreter's file is read; nothing is run. */
async function phpVersion(context: Context): Promise<string | null> {
  const {workers} = await (await hostFacts(context)).processes();
  const programs = [...workers.map(({pid}) => `/proc/${pid}/exe`), ...USUAL_PHP];
  for (const program of programs) {
    const version = await readPhpVersion(program);
    if (version !== null) return version;
  }
  return null;
}

/** As queue:status judges it without flags. */
async function queueReport(context: Context): Promise<QueueReport> {
  const [site, {staleRoot}] = await Promise.all([context.site(), import('../../atom/config/stale-cache.ts')]);
  const [addresses, prefix, workerTypes, root, time] = await Promise.all([
    context.serverAddresses(),
    site.functionPrefix(),
    site.workerTypes(),
    site.root(),
    context.time(),
  ]);
  return fetchQueueReport({
    addresses,
    timeoutSeconds: context.timeoutSeconds,
    prefix: prefix.value,
    jobClasses: Object.values(workerTypes.value).flat(),
    readJobs: () => readSiteJobs(context),
    clock: {now: context.now, toWall: time.toWall},
    staleRoot: await staleRoot(root.value),
    commands: hostCommands(),
    foreignPrefixes: () => foreignPrefixes(context),
    all: true,
  });
}

async function connectedWorkers(context: Context): Promise<ShownWorker[]> {
  const [addresses, prefix] = await Promise.all([
    context.serverAddresses(),
    context.site().then((site) => site.functionPrefix()),
  ]);
  const servers = await askServers({addresses, timeoutSeconds: context.timeoutSeconds});
  const [failed] = servers.flatMap(({error}) => error ?? []);
  if (failed !== undefined && servers.every(({reachable}) => !reachable))
    throw new AtomctlError('GEARMAN_UNREACHABLE', failed);
  return withJobs(context, queueWorkers({servers, prefix: prefix.value}), () => {});
}

async function runningJobs(
  context: Context,
  {notice}: CollectOptions,
): Promise<{jobs: JobDetails[]; total: number}> {
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const clock = {time, now: context.now()};
  const filter = {statuses: ['running' as const]};
  const newest = {filter, sort: {key: 'id' as const, descending: true}, limit: MOST_JOBS, offset: 0};
  const listed = await listLiveJobs({...newest, ...clock, database, live: true}, () =>
    liveSources(context, {notice}),
  );
  const {total} = await totalJobs({database, filter});
  const jobs: JobDetails[] = [];
  for (const job of listed.jobs) {
    const details = await showJob({...clock, database, id: job.id}).catch(ignored);
    if (details !== null) jobs.push({...details, ...job});
  }
  return {jobs, total: total ?? jobs.length};
}

async function workerJournal(context: Context): Promise<JournalEntry[]> {
  const {manager, units} = await findWorker(context, {'user-manager': false});
  return collectJournal({
    scope: manager.scope,
    units: units.map(({name}) => name),
    lines: JOURNAL_LINES,
    signal: AbortSignal.timeout(context.timeoutSeconds * 1000),
  });
}
