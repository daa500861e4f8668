import {counted} from '../../counted.ts';
import type {RestoreAction, RestoreResult} from '../../jobs/save/restore.ts';
import {sanitizeLine} from '../sanitize.ts';

/** What queue:save prints under --json. */
export interface Saved {
  file: string;
  savedAt: string;
  jobs: number;
  functions: readonly {server: string; function: string; jobClass: string; jobs: number}[];
  retriesAdded: number;
  warnings: readonly string[];
}

/** How many jobs of which class are in the file, and what reading them counted. */
export function renderSaved({file, jobs, functions, retriesAdded}: Saved): string {
  if (jobs === 0) return `${sanitizeLine(`No job waits; ${file} holds none.`)}\n`;
  const byClass = new Map<string, number>();
  for (const {jobClass, jobs: count} of functions)
    byClass.set(jobClass, (byClass.get(jobClass) ?? 0) + count);
  const classes = [...byClass].map(([jobClass, count]) => `${count} ${jobClass}`).join(', ');
  const counted =
    retriesAdded === 0
      ? ''
      : `gearmand has counted ${retriesAdded === 1 ? '1 retry' : `${retriesAdded} retries`} more for each of them.\n`;
  return `${sanitizeLine(`${numberOf(jobs)} saved in ${file}: ${classes}.`)}\n${counted}`;
}

function numberOf(jobs: number): string {
  return jobs === 1 ? '1 waiting job' : `${jobs} waiting jobs`;
}

interface How {
  dryRun: boolean;
  file: string;
}

const ACTIONS: Record<RestoreAction, {text: string; planned?: string; each?: true}> = {
  submitted: {text: 'submitted again', planned: 'to submit again'},
  waiting: {text: 'waiting already'},
  executing: {text: 'executing'},
  ended: {text: 'ended meanwhile'},
  blocked: {text: 'blocked by a cancelled entry', each: true},
  refused: {text: 'refused', each: true},
  failed: {text: 'failed', each: true},
  left: {text: 'left', each: true},
};

/** What queue:restore prints under --json. */
export function restoreDocument({jobs, warnings}: RestoreResult, {dryRun, file}: How) {
  return {file, dryRun, counts: countsOf(jobs), jobs, warnings};
}

function countsOf(jobs: RestoreResult['jobs']): Record<RestoreAction, number> {
  const counts = Object.fromEntries(Object.keys(ACTIONS).map((action) => [action, 0]));
  for (const {action} of jobs) counts[action]! += 1;
  return counts as Record<RestoreAction, number>;
}

/** So many jobs have a line of their own; --json has all. */
const MOST_LINES = 20;

/** One line with the counts, and one for each job that may need something. */
export function renderRestored({jobs}: RestoreResult, {dryRun, file}: How): string {
  if (jobs.length === 0) return `${sanitizeLine(`${file} holds no job.`)}\n`;
  const counts = countsOf(jobs);
  const parts = Object.entries(ACTIONS).flatMap(([action, {text, planned}]) => {
    const count = counts[action as RestoreAction];
    return count === 0 ? [] : `${count} ${(dryRun && planned) || text}`;
  });
  const notable = jobs.filter(({action}) => ACTIONS[action].each);
  const lines = notable
    .slice(0, MOST_LINES)
    .map(({id, unique, jobClass, action, message}) =>
      sanitizeLine(`${id ?? unique} (${jobClass}): ${action}. ${message}`),
    );
  const more = notable.length - lines.length;
  return [
    sanitizeLine(`${counted(jobs.length, 'job')} in ${file}: ${parts.join(', ')}.`),
    ...lines,
    ...(more > 0 ? [`${more} more; --json shows all.`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
