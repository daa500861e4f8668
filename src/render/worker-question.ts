import type {ExecutingJob} from '../worker/executing.ts';
import {sanitizeLine} from './sanitize.ts';

/** What is asked before workers are ended in the middle of jobs. */
export function interruptionQuestion(options: {
  verb: 'stop' | 'restart';
  units: readonly string[];
  jobs: readonly ExecutingJob[];
  /** Executing jobs of the site that are not known by id. */
  unnamed: number;
}): string {
  const {verb, units, jobs, unnamed} = options;
  const named = jobs.map(({id, name}) => `job ${id} (${sanitizeLine(name)})`);
  if (unnamed > 0)
    named.push(`${unnamed} ${jobs.length > 0 ? 'more ' : ''}${unnamed === 1 ? 'job' : 'jobs'} of this site`);
  const many = jobs.length + unnamed > 1;
  const list = named.join(', ');
  return (
    `${list[0]!.toUpperCase()}${list.slice(1)} ${many ? 'are' : 'is'} executing. Gearman will hand ${many ? 'them' : 'it'} out` +
    ` again, from the start, to the next worker.\n${verb === 'stop' ? 'Stop' : 'Restart'} ${units.join(', ')} all the same? (y/N)`
  );
}
