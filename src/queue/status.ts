import type {Backlog} from './backlog.ts';
import {type QueueFunction, queueFunctions} from './functions.ts';
import type {ServerReport} from './server-report.ts';
import {judge, type QueueLimits, type Verdict} from './verdict.ts';

/** How the queue is, as `queue:status --json` prints it. */
export interface QueueStatus {
  status: Verdict;
  /** One sentence each, the worst first. */
  problems: string[];
  servers: ServerState[];
  functions: QueueFunction[];
}

/** A server without the lists it answered with. */
export type ServerState = Omit<ServerReport, 'functions' | 'connections'>;

export interface QueueStatusOptions {
  servers: readonly ServerReport[];
  /** This site's function prefix: null where it is not known, empty where its functions have none. */
  prefix: string | null;
  /** The job classes that the site's gearman.yml lists. */
  jobClasses: readonly string[];
  /** Job classes left out of the verdict. */
  excluded?: readonly string[];
  /** Job classes that must have a worker although gearman.yml does not list them. */
  required?: readonly string[];
  limits?: QueueLimits;
  /** What the database says; null where it was not asked, a sentence where it could not answer. */
  backlog?: Backlog | string | null;
  /** Other sites' functions too. Where this site's prefix is not known, all functions are given anyway. */
  allSites?: boolean;
  /** Functions with no work and no workers too: gearmand keeps their rows after the workers have left. */
  all?: boolean;
}

/** Stock gearman.yml lists it, but the class exists only where its plugin is on, and workers skip it otherwise. */
export const PLUGIN_CLASSES: ReadonlySet<string> = new Set(['qtSwordPluginWorker']);

/** The queue as the servers report it, summed over them, and the verdict on its health. */
export function queueStatus(options: QueueStatusOptions): QueueStatus {
  const {servers, prefix, jobClasses, excluded = [], required = []} = options;
  const functions = queueFunctions(servers, {prefix, jobClasses});
  const listed = jobClasses.filter((name) => !excluded.includes(name) && !PLUGIN_CLASSES.has(name));
  const verdict = judge({
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

/** What is told of a server, without the lists it answered with. */
export function serverState({address, reachable, version, error}: ServerReport): ServerState {
  return {address, reachable, version, error};
}
