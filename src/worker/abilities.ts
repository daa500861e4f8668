import {splitFunctionName} from '../queue/function-name.ts';
import type {ServerReport} from '../queue/server-report.ts';
import {PLUGIN_CLASSES} from '../queue/status.ts';
import {pidOf} from '../queue/workers.ts';

/** What the site expects its workers to register. */
export interface SiteAbilities {
  /** The site's function prefix: null if it is not known, empty if the site's functions have none. */
  prefix: string | null;
  /** gearman.yml's `worker_types`: the job classes of each type. */
  workerTypes: Readonly<Record<string, readonly string[]>>;
}

/** Asks every Gearman server of the site again. Never rejects for a server that does not answer. */
export type AskServers = () => Promise<ServerReport[]>;

/** What one worker has registered with one server. */
export interface Registration {
  /** `host:port`. */
  server: string;
  /** Why the server did not answer; null if it did. */
  error: string | null;
  /** Job classes of this site, sorted; empty if the worker is not connected. */
  abilities: string[];
  /** Job classes that the site expects of this worker and that it has not registered; none if unknown. */
  missing: string[];
  /** The prefixes under which it registered, where these are not the site's. */
  strangePrefixes: string[];
}

/**
 * The job classes that a worker with this command registers: those of `--abilities`, else those of `--types`,
 * else all that gearman.yml lists.
 */
export function expectedClasses(command: string, workerTypes: SiteAbilities['workerTypes']): string[] {
  const abilities = optionList(command, 'abilities');
  if (abilities !== null) return abilities;
  const types = optionList(command, 'types') ?? Object.keys(workerTypes);
  const classes = types.flatMap((type) => (Object.hasOwn(workerTypes, type) ? workerTypes[type]! : []));
  return [...new Set(classes)].filter((jobClass) => !PLUGIN_CLASSES.has(jobClass));
}

function optionList(command: string, option: string): string[] | null {
  const [, value] = new RegExp(`\\s--${option}[= ]"?([^\\s"]+)`).exec(command) ?? [];
  return value === undefined ? null : value.split(',').filter(Boolean);
}

/** What the processes of one worker have registered with each server, against what is expected of it. */
export function registrations(options: {
  answers: readonly ServerReport[];
  pids: readonly number[];
  expected: readonly string[];
  prefix: string | null;
}): Registration[] {
  const {pids, expected, prefix} = options;
  return options.answers.map(({address, error, connections}) => {
    const names = connections
      .filter(({id}) => isOneOf(id, pids))
      .flatMap(({functions}) => functions)
      .map(splitFunctionName);
    const own = names.filter((name) => prefix === null || (name.prefix ?? '') === prefix);
    const abilities = [...new Set(own.map(({jobClass}) => jobClass))].sort();
    const strange = names.filter((name) => !own.includes(name)).map((name) => name.prefix ?? 'no prefix');
    return {
      server: address,
      error,
      abilities,
      missing: error === null ? expected.filter((jobClass) => !abilities.includes(jobClass)) : [],
      strangePrefixes: [...new Set(strange)],
    };
  });
}

/** Whether a worker has registered, with every server, all that is expected of it, and something at all. */
export function isComplete(registered: readonly Registration[]): boolean {
  return registered.every(
    ({error, abilities, missing}) => error === null && abilities.length > 0 && missing.length === 0,
  );
}

/** The ids under which processes are connected: a worker that restarts gets another id, even with the same PID. */
export function workerIds(answers: readonly ServerReport[], pids: readonly number[]): Set<string> {
  const ids = answers.flatMap(({connections}) => connections.map(({id}) => id));
  return new Set(ids.filter((id) => isOneOf(id, pids)));
}

function isOneOf(workerId: string, pids: readonly number[]): boolean {
  const pid = pidOf(workerId);
  return pid !== null && pids.includes(pid);
}

/** `14 abilities with 127.0.0.1:4730`; of several servers the largest number. */
export function abilityCount(registered: readonly Registration[]): string {
  const count = Math.max(0, ...registered.map(({abilities}) => abilities.length));
  return `${count} ${count === 1 ? 'ability' : 'abilities'} with ${serverList(registered)}`;
}

export function serverList(registered: readonly Registration[]): string {
  return registered.map(({server}) => server).join(', ');
}

/** What is wrong with a running worker's registrations: a sentence for each server, none if all is well. */
export function registrationFaults(registered: readonly Registration[]): string[] {
  return registered.flatMap((registration) => {
    const fault = registrationFault(registration);
    return fault === null ? [] : [fault];
  });
}

/** One server's, or null. */
export function registrationFault(registration: Registration): string | null {
  const {server, error, abilities, missing, strangePrefixes} = registration;
  if (error !== null) return `atomctl does not know what it has registered with ${server}: ${error}`;
  if (abilities.length === 0 && strangePrefixes.length > 0) {
    return (
      `it is registered with ${server} under another prefix (${strangePrefixes.join(', ')}) than that of this site:` +
      ' it gets no job of this site.'
    );
  }
  if (abilities.length === 0) return `it has registered nothing with ${server}: it runs no jobs.`;
  return missing.length > 0 ? `it has not registered ${enumerate(missing)} with ${server}.` : null;
}

/** The first three by name, the rest by number. */
function enumerate(names: readonly string[]): string {
  const rest = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
