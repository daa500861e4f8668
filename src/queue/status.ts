import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from '../gearman/address.ts';
import {type QueueFunction, queueFunctions} from './functions.ts';
import {askServers, type ServerReport} from './server-report.ts';
import type {Severity} from './severity.ts';
import {type Backlog, judgeQueue, type QueueLimits} from './verdict.ts';

/** The state of the queue, as `queue:status --json` prints it. */
export interface QueueStatus {
  status: Severity;
  /** One sentence each, the worst first. */
  problems: string[];
  servers: ServerState[];
  functions: QueueFunction[];
}

/** A server without the lists it answered with. */
export type ServerState = Omit<ServerReport, 'functions' | 'connections'>;

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
  /** Other sites' functions too. If this site's prefix is not known, all functions are given anyway. */
  allSites?: boolean;
  /** Functions with no work and no workers too: gearmand keeps their rows after the workers have left. */
  all?: boolean;
}

/** Stock gearman.yml lists it, but the class exists only if its plugin is on, and workers skip it otherwise. */
export const PLUGIN_CLASSES: ReadonlySet<string> = new Set(['qtSwordPluginWorker']);

/** The queue as the servers report it, summed over them, and the verdict on its health. */
export function queueStatus(options: QueueStatusOptions): QueueStatus {
  const {servers, prefix, jobClasses, excluded = [], required = []} = options;
  const functions = queueFunctions(servers, {prefix, jobClasses});
  const listed = jobClasses.filter((name) => !excluded.includes(name) && !PLUGIN_CLASSES.has(name));
  const verdict = judgeQueue({
    servers,
    functions,
    prefix,
    required: [...new Set([...listed, ...required])],
    excluded,
    limits: options.limits ?? {},
    backlog: options.backlog ?? null,
  });
  return {
    ...verdict,
    servers: servers.map(serverState),
    functions: functions
      .filter((row) => row.thisSite || prefix === null || options.allSites)
      .filter((row) => row.queued + row.running + row.workers > 0 || options.all),
  };
}

/** The state of a server, without the lists it answered with. */
export function serverState({address, reachable, version, error}: ServerReport): ServerState {
  return {address, reachable, version, error};
}

/** The queue at one moment, as the servers and the database report it. */
export interface QueueReport {
  status: QueueStatus;
  /** null if the database was not asked or did not answer. */
  backlog: Backlog | null;
}

export interface QueueReportOptions extends Omit<QueueStatusOptions, 'servers' | 'backlog'> {
  addresses: readonly ServerAddress[];
  /** Bounds each connection to a server and each reply. */
  timeoutSeconds: number;
  /** Asks the database; null if it is not asked. */
  readBacklog: (() => Promise<Backlog>) | null;
}

/**
 * Connects to every server, asks it and the database, and judges the answers. A server or a database that
 * fails is one of the problems in the result.
 * @throws AtomctlError USAGE if the database's settings are wrong; NO_SITE if a limit on the age of running
 *   rows is set and no database is configured
 */
export async function fetchQueueReport(options: QueueReportOptions): Promise<QueueReport> {
  const [servers, backlog] = await Promise.all([askServers(options), askDatabase(options)]);
  return {
    status: queueStatus({...options, servers, backlog}),
    backlog: typeof backlog === 'string' ? null : backlog,
  };
}

/** What the database says, or a sentence that says why it does not answer. */
async function askDatabase({readBacklog, limits}: QueueReportOptions): Promise<Backlog | string | null> {
  if (readBacklog === null) return null;
  try {
    return await readBacklog();
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    if (error.code !== 'NO_SITE') return error.message;
    if (limits?.warningAge !== undefined || limits?.criticalAge !== undefined) throw error;
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
