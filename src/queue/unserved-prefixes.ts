import {isAtomClass} from '../atom/job-classes.ts';
import type {QueueFunction} from './functions.ts';
import {FAULT_SEVERITY} from './severity.ts';
import type {QueueProblem} from './verdict.ts';

/**
 * Prefixes other than the site's own under which jobs of AtoM's classes wait and no worker is connected: the root or
 * workers_key was changed, or a site is gone.
 * @param foreign prefixes that are known to be other sites', which look after them themselves
 */
export function unservedPrefixes(
  functions: readonly QueueFunction[],
  foreign: ReadonlySet<string>,
): QueueProblem[] {
  const byPrefix = new Map<string, {queued: number; workers: number}>();
  for (const {prefix, jobClass, thisSite, queued, workers} of functions) {
    if (prefix === null || thisSite || foreign.has(prefix)) continue;
    const sum = byPrefix.get(prefix) ?? {queued: 0, workers: 0};
    byPrefix.set(prefix, sum);
    sum.workers += workers;
    if (jobClass !== null && isAtomClass(jobClass)) sum.queued += queued;
  }
  return [...byPrefix]
    .filter(([, {queued, workers}]) => queued > 0 && workers === 0)
    .map(([prefix, {queued}]) => ({
      state: FAULT_SEVERITY['jobs under a prefix without workers'],
      message: `${queued === 1 ? '1 job waits' : `${queued} jobs wait`} under the function prefix ${prefix}, which has no worker: the root or workers_key was changed, or another site has no worker.`,
      remedy: `atomctl queue:status --all-functions --function-prefix ${prefix}`,
    }));
}
