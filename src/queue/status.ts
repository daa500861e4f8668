import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from '../gearman/address.ts';
import type {HostCommands} from '../host-commands.ts';
import {type QueueFunction, queueFunctions} from './functions.ts';
import {oldHoldProblems, oldHolds} from './probe/old-holds.ts';
import {askServers, type ServerReport} from './server-report.ts';
import type {Severity} from './severity.ts';
import {unservedPrefixes} from './unserved-prefixes.ts';
import {type Backlog, judgeQueue, type QueueLimits, type QueueProblem} from './verdict.ts';

/** The state of the queue, as `queue:status --json` prints it. */
export interface QueueStatus {
  status: Severity;
  /** The worst first. */
  problems: QueueProblem[];
  servers: ServerState[];
  functions: QueueFunction[];
}

/** A server without the lists it answered with. */
export type ServerState = Omit<ServerReport, 'functions' | 'connections' | 'skippedLines'>;

export interface QueueStatusOptions {
  servers: readonly ServerReport[];
  /** This site's function prefix: null if it is not known, empty if its functions have none. */
  prefix: string | null;
  /** The job classes that the site's gearman.yml lists. */
  jobClasses: readonly string[];
  /** Job classes left out of the verdict. */
  excluded?: readonly string[];
  /** Job classes that must have a worker although gearman.yml does not list them. */
  required?: readonly string[];
  limits?: QueueLimits;
  /** What the database says; null if it was not asked, a sentence if it could not answer. */
  backlog?: Backlog | string | null;
  /** What the rows of the jobs show to be wrong. */
  jobProblems?: readonly QueueProblem[];
  /** The plugins that are on; null if that is not known. */
  plugins?: ReadonlySet<string> | null;
  /** Tells a probe in progress from an old hold, and when that began. */
  clock?: {now: () => Date; toWall: (instant: Date) => string};
  /** The root of a site whose compiled configuration is older than its sources. */
  staleRoot?: string | null;
  /** How workers are started on this host. */
  commands: HostCommands;
  /** Prefixes that are known to be other sites'. */
  foreignPrefixes?: ReadonlySet<string>;
  /** Other sites' functions too. If this site's prefix is not known, all functions are given anyway. */
  allFunctions?: boolean;
  /** Functions with no work and no workers too: gearmand keeps their rows after the workers have left. */
  all?: boolean;
}

/** Stock gearman.yml lists these classes, but each exists only if its plugin is on; otherwise workers skip it. */
export const PLUGIN_CLASSES: ReadonlyMap<string, string> = new Map([
  ['qtSwordPluginWorker', 'qtSwordPlugin'],
]);

/**
 * The listed job classes that must have a worker. A plugin's class is left out if the plugin is off; if that is not
 * known, it is left out too and stands in `unknown`.
 * @param plugins the plugins that are on; null if that is not known
 */
export function servedClasses(
  jobClasses: readonly string[],
  plugins: ReadonlySet<string> | null,
): {required: string[]; unknown: string[]} {
  const classes = [...new Set(jobClasses)];
  const pluginOf = (jobClass: string) => PLUGIN_CLASSES.get(jobClass);
  return {
    required: classes.filter((name) => pluginOf(name) === undefined || plugins?.has(pluginOf(name)!)),
    unknown: plugins === null ? classes.filter((name) => pluginOf(name) !== undefined) : [],
  };
}

/** The queue as the servers report it, summed over them, and the verdict on its health. */
export function queueStatus(options: QueueStatusOptions): QueueStatus {
  const {servers, prefix, jobClasses, excluded = [], required = [], plugins = null} = options;
  const functions = queueFunctions(servers, {prefix, jobClasses});
  const listed = servedClasses(jobClasses, plugins).required.filter((name) => !excluded.includes(name));
  const verdict = judgeQueue({
    servers,
    functions,
    prefix,
    required: [...new Set([...listed, ...required])],
    excluded,
    limits: options.limits ?? {},
    backlog: options.backlog ?? null,
    staleRoot: options.staleRoot ?? null,
    commands: options.commands,
    otherProblems: [
      ...(options.jobProblems ?? []),
      ...unservedPrefixes(functions, options.foreignPrefixes ?? new Set()),
      ...heldServers(options),
    ],
  });
  return {
    ...verdict,
    servers: servers.map(serverState),
    functions: functions
      .filter((row) => row.thisSite || prefix === null || options.allFunctions)
      .filter((row) => row.queued + row.running + row.workers > 0 || options.all),
  };
}

function heldServers({servers, clock}: QueueStatusOptions): QueueProblem[] {
  if (clock === undefined) return [];
  const holds = oldHolds(servers, clock.now().getTime());
  return oldHoldProblems(holds, clock.toWall).map(({state, message, remedy}) => ({state, message, remedy}));
}

/** The state of a server, without the lists it answered with. */
export function serverState({address, reachable, version, error}: ServerReport): ServerState {
  return {address, reachable, version, error};
}

/** What the site's database tells of its jobs and of its plugins. */
export interface SiteJobs {
  backlog: Backlog;
  problems: readonly QueueProblem[];
  /** The plugins that are on; null if that is not known. */
  plugins: ReadonlySet<string> | null;
  /** Cancelled jobs among the queued ones, as far as that is known. */
  cancelled: number;
}

/** The queue at one moment, as the servers and the database report it. */
export interface QueueReport {
  status: QueueStatus;
  /** null if the database was not asked or did not answer. */
  backlog: Backlog | null;
  /** Cancelled jobs among the queued ones, as far as that is known. */
  cancelled?: number;
  /** Listed job classes that the verdict leaves out, because whether their plugin is on is not known. */
  unchecked: readonly string[];
}

export interface QueueReportOptions
  extends Omit<QueueStatusOptions, 'servers' | 'backlog' | 'jobProblems' | 'plugins' | 'foreignPrefixes'> {
  addresses: readonly ServerAddress[];
  /** Bounds each connection to a server and each reply. */
  timeoutSeconds: number;
  /** Asks the database; null if it is not asked. */
  readJobs: (() => Promise<SiteJobs>) | null;
  /** Prefixes that are known to be other sites'; asked only if one has waiting jobs and no worker. */
  foreignPrefixes?: () => Promise<ReadonlySet<string>>;
}

/**
 * Connects to every server, asks it and the database, and judges the answers. A server or a database that
 * fails is one of the problems in the result.
 * @throws AtomctlError USAGE if the database's settings are wrong; NO_SITE if a limit on the age of running
 *   rows is set and no database is configured
 */
export async function fetchQueueReport(options: QueueReportOptions): Promise<QueueReport> {
  const [servers, answer] = await Promise.all([askServers(options), askDatabase(options)]);
  const jobs = typeof answer === 'string' ? null : answer;
  const plugins = jobs?.plugins ?? null;
  const {prefix, jobClasses, excluded = []} = options;
  const unserved = unservedPrefixes(queueFunctions(servers, {prefix, jobClasses}), new Set());
  const status = queueStatus({
    ...options,
    servers,
    backlog: typeof answer === 'string' ? answer : (jobs?.backlog ?? null),
    jobProblems: jobs?.problems,
    plugins,
    foreignPrefixes: unserved.length === 0 ? undefined : await options.foreignPrefixes?.(),
  });
  const unchecked = servedClasses(jobClasses, plugins).unknown.filter((name) => !excluded.includes(name));
  return {status, backlog: jobs?.backlog ?? null, cancelled: jobs?.cancelled ?? 0, unchecked};
}

/** Limits that need the database. */
const TIME_LIMITS = ['warningAge', 'criticalAge', 'warningWait', 'criticalWait'] as const;

/** What the database says, or a sentence that says why it does not answer. */
async function askDatabase({readJobs, limits}: QueueReportOptions): Promise<SiteJobs | string | null> {
  if (readJobs === null) return null;
  try {
    return await readJobs();
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    if (error.code !== 'NO_SITE') return error.message;
    if (limits !== undefined && TIME_LIMITS.some((name) => limits[name] !== undefined)) throw error;
    return null;
  }
}

/**
 * Polls until the verdict is ok or the time is over; returns the last report, whatever it says.
 * @param options.seconds how long to poll; 0 polls once
 * @param options.sleep waits for milliseconds
 */
export async function waitUntilHealthy<T extends {status: {status: Severity}}>(options: {
  fetch: () => Promise<T>;
  seconds: number;
  now: () => Date;
  sleep: (milliseconds: number) => Promise<void>;
}): Promise<T> {
  const {now, sleep} = options;
  const end = now().getTime() + options.seconds * 1000;
  for (;;) {
    const report = await options.fetch();
    const left = end - now().getTime();
    if (report.status.status === 'ok' || left <= 0) return report;
    await sleep(Math.min(left, INTERVAL_MS));
  }
}

/** Short, compared with the seconds that a worker takes to start and register its abilities. */
const INTERVAL_MS = 500;
