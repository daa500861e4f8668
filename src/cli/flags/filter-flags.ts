import {Flags} from '@oclif/core';
import type {SiteTime} from '../../atom/site-time.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import {JOB_STATUSES, type JobStatus, LIVE_STATE_NAMES, type LiveState} from '../../jobs/model/job.ts';
import {wholeNumber} from './shared-flags.ts';

const FILTER_GROUP = 'FILTER';

/** The job filters, the same on every command that selects jobs. */
export const filterFlags = {
  status: Flags.option({
    summary: 'Only jobs with this status.',
    options: JOB_STATUSES,
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: FILTER_GROUP,
  })(),
  running: Flags.boolean({summary: 'Short for --status running.', helpGroup: FILTER_GROUP}),
  completed: Flags.boolean({summary: 'Short for --status completed.', helpGroup: FILTER_GROUP}),
  failed: Flags.boolean({summary: 'Short for --status error.', helpGroup: FILTER_GROUP}),
  name: Flags.string({
    summary: 'Only jobs of this name; * stands for any text.',
    helpValue: 'PATTERN',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: FILTER_GROUP,
  }),
  user: Flags.string({
    summary: "Only this user's jobs; - for jobs with no user.",
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: FILTER_GROUP,
  }),
  since: Flags.string({
    summary:
      'Only jobs started at or after this: 2026-11-23, 2026-11-23T14:30, 2026-10, yesterday, 7d, "2h ago".',
    helpValue: 'WHEN',
    helpGroup: FILTER_GROUP,
  }),
  until: Flags.string({
    summary: 'Only jobs started before this.',
    helpValue: 'WHEN',
    helpGroup: FILTER_GROUP,
  }),
  'older-than': Flags.string({
    summary: 'Only jobs started longer ago than this: 90d, 12h, 2w.',
    helpValue: 'AGE',
    helpGroup: FILTER_GROUP,
  }),
  id: Flags.custom<number>({
    summary: 'Only the job with this id.',
    helpValue: 'ID',
    multiple: true,
    multipleNonGreedy: true,
    parse: wholeNumber(1, 'job id'),
    helpGroup: FILTER_GROUP,
  })({multiple: true}),
  live: Flags.option({
    summary: 'Only running jobs whose live state is this.',
    options: LIVE_STATE_NAMES,
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: FILTER_GROUP,
  })(),
};

export interface FilterFlags {
  status?: JobStatus[];
  running?: boolean;
  completed?: boolean;
  failed?: boolean;
  name?: string[];
  user?: string[];
  since?: string;
  until?: string;
  'older-than'?: string;
  id?: number[];
  live?: LiveState[];
}

/**
 * The filter that the flags describe. The site's zone is determined only if a time needs it.
 * @throws AtomctlError USAGE for an invalid time or age
 */
export async function jobFilter(
  flags: FilterFlags,
  time: () => Promise<SiteTime>,
  now: Date,
): Promise<JobFilter> {
  const statuses = new Set(flags.status);
  if (flags.running) statuses.add('running');
  if (flags.completed) statuses.add('completed');
  if (flags.failed) statuses.add('error');
  const filter: JobFilter = {
    ids: flags.id,
    statuses: statuses.size === 0 ? undefined : [...statuses],
    names: flags.name,
    users: flags.user?.map((name) => (name === '-' ? null : name)),
    live: flags.live,
  };
  if (flags.since === undefined && flags.until === undefined && flags['older-than'] === undefined)
    return filter;
  const [{parseAge, parseWhen}, clock] = await Promise.all([import('../../atom/when.ts'), time()]);
  const wallOf = (text: string, origin: string) => parseWhen(text, {origin, time: clock, now}).wall;
  if (flags.since !== undefined) filter.since = wallOf(flags.since, '--since');
  if (flags.until !== undefined) filter.until = wallOf(flags.until, '--until');
  if (flags['older-than'] !== undefined) {
    const ageSeconds = parseAge(flags['older-than'], '--older-than');
    filter.olderThan = clock.wallBefore(new Date(now.getTime() - ageSeconds * 1000));
  }
  return filter;
}

/** True if a filter flag is given. */
export function hasFilter(flags: FilterFlags): boolean {
  return Object.keys(filterFlags).some((name) => {
    const value = flags[name as keyof FilterFlags];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
}
