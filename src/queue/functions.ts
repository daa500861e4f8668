import {byCode, splitFunctionName} from './function-name.ts';
import type {ServerReport} from './server-report.ts';
import {connectedWorkers} from './workers.ts';

/** A Gearman function, summed over the servers. */
export interface QueueFunction {
  /** As Gearman knows it. */
  function: string;
  /** null for a function that is not AtoM's. */
  jobClass: string | null;
  prefix: string | null;
  thisSite: boolean;
  /** Jobs that wait for a worker. */
  queued: number;
  running: number;
  /** Workers that can do it, each counted once however many servers it is connected to. */
  workers: number;
}

/** What distinguishes this site's functions from others. */
export interface SiteFunctions {
  /** null if the prefix is not known; empty if the site's functions have none (AtoM before 2.5.2). */
  prefix: string | null;
  /** The job classes that the site's gearman.yml lists: a bare function of that name is AtoM's. */
  jobClasses: readonly string[];
}

/** Every function that any server has, by job class and then by name. */
export function queueFunctions(servers: readonly ServerReport[], site: SiteFunctions): QueueFunction[] {
  const functions = new Map<string, QueueFunction>();
  for (const {function: name, total, running} of servers.flatMap((server) => server.functions)) {
    const row = functions.get(name) ?? idleFunction(name, site);
    functions.set(name, row);
    row.queued += total - running;
    row.running += running;
  }
  for (const worker of connectedWorkers(servers)) {
    for (const name of worker.functions) {
      const row = functions.get(name);
      if (row !== undefined) row.workers += 1;
    }
  }
  return [...functions.values()].sort(compare);
}

function idleFunction(name: string, site: SiteFunctions): QueueFunction {
  const {prefix, jobClass} = splitFunctionName(name);
  const isAtoms = prefix !== null || site.jobClasses.includes(jobClass);
  return {
    function: name,
    jobClass: isAtoms ? jobClass : null,
    prefix,
    thisSite: isAtoms && (prefix ?? '') === site.prefix,
    queued: 0,
    running: 0,
    workers: 0,
  };
}

function compare(one: QueueFunction, other: QueueFunction): number {
  return (
    Number(other.thisSite) - Number(one.thisSite) ||
    byCode(one.prefix ?? '', other.prefix ?? '') ||
    byCode(one.function, other.function)
  );
}
