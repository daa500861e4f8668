import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import type {JobFilter, ParamFilter} from '../../jobs/model/filter.ts';
import {JOB_STATUSES, type JobStatus, LIVE_STATE_NAMES, type LiveState} from '../../jobs/model/job.ts';
import type {SettledValues, UnknownValue} from '../../jobs/model/settle-values.ts';
import {sanitizeLine} from '../../render/sanitize.ts';
import type {Context} from '../context.ts';
import {wholeNumber} from './shared-flags.ts';

const FILTER_GROUP = 'FILTER';

/** May be repeated. */
const LIST = {multiple: true, multipleNonGreedy: true, helpGroup: FILTER_GROUP} as const;

/** The job filters, the same on every command that selects jobs. */
export const filterFlags = {
  status: Flags.option({
    summary: 'Only jobs with this status; failed means error.',
    options: JOB_STATUSES,
    delimiter: ',',
    parse: async (text) => (text === 'failed' ? 'error' : text) as JobStatus,
    ...LIST,
  })(),
  running: Flags.boolean({summary: 'The same as --status running.', helpGroup: FILTER_GROUP}),
  completed: Flags.boolean({summary: 'The same as --status completed.', helpGroup: FILTER_GROUP}),
  failed: Flags.boolean({summary: 'The same as --status error.', helpGroup: FILTER_GROUP}),
  name: Flags.string({
    summary:
      'Only jobs with this name; if no job has it, jobs with this text in their name. * matches any text.',
    helpValue: 'PATTERN',
    ...LIST,
  }),
  user: Flags.string({
    summary: 'Only jobs of this user; - for jobs without a user.',
    helpValue: 'NAME',
    ...LIST,
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
    delimiter: ',',
    parse: wholeNumber(1, 'job id'),
    ...LIST,
  })({multiple: true}),
  live: Flags.option({
    summary: 'Only running jobs with this live state.',
    options: LIVE_STATE_NAMES,
    delimiter: ',',
    ...LIST,
  })(),
  object: Flags.string({
    summary: 'Only jobs about this object of AtoM.',
    helpValue: 'SLUG|ID',
    ...LIST,
  }),
  download: Flags.string({
    summary: 'Only the job that created this file.',
    helpValue: 'PATH',
    helpGroup: FILTER_GROUP,
  }),
  grep: Flags.string({
    summary: 'Only jobs with this text in their notes or log. A text in lower case also matches upper case.',
    helpValue: 'TEXT',
    helpGroup: FILTER_GROUP,
  }),
  param: Flags.string({
    summary: 'Only jobs that logged this parameter; a dot separates nested keys: file.name=x.csv.',
    helpValue: 'KEY=VALUE',
    ...LIST,
  }),
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
  object?: string[];
  download?: string;
  grep?: string;
  param?: string[];
}

/** What the filter needs of the context. */
type FilterContext = Pick<Context, 'time' | 'now' | 'database'>;

/**
 * The filter that the flags describe. The site's zone and its database are asked only if a value needs them. What the site does
 * not have is said with `notice`.
 * @param explain says also which names are looked for in names: for a command that changes what it finds
 * @throws AtomctlError USAGE for a value that is not valid; what the database throws
 */
export async function jobFilter(
  flags: FilterFlags,
  context: FilterContext,
  {notice, explain = false}: {notice: (text: string) => void; explain?: boolean},
): Promise<JobFilter> {
  refuseEmpty(flags);
  const statuses = new Set(flags.status);
  if (flags.running) statuses.add('running');
  if (flags.completed) statuses.add('completed');
  if (flags.failed) statuses.add('error');
  const filter: JobFilter = {
    ids: flags.id,
    statuses: statuses.size === 0 ? undefined : [...statuses],
    live: flags.live,
    download: flags.download,
    grep: flags.grep,
    params: flags.param && paramFilters(flags.param),
    ...(await startBounds(flags, context)),
  };
  const {name: names, user: users, object: objects} = flags;
  if (names === undefined && users === undefined && objects === undefined) return filter;
  const [{settleValues}, database] = await Promise.all([
    import('../../jobs/model/settle-values.ts'),
    context.database(),
  ]);
  const settled = await settleValues(database, {names, users, objects});
  for (const sentence of sentencesOf(settled, explain)) notice(sentence);
  return {...filter, ...settled.filter};
}

/** An empty value is a variable of a script that is not set, and would be in every name. */
function refuseEmpty(flags: FilterFlags): void {
  for (const flag of ['name', 'user', 'object', 'download', 'grep'] as const) {
    if ([flags[flag] ?? 'x'].flat().some((text) => /^[\s,]*$/.test(text)))
      throw usageError(`--${flag} has no value.`, 'Give a value, or omit the flag.');
  }
}

async function startBounds(
  {since, until, 'older-than': olderThan}: FilterFlags,
  context: FilterContext,
): Promise<Pick<JobFilter, 'since' | 'until' | 'olderThan'>> {
  if (since === undefined && until === undefined && olderThan === undefined) return {};
  const [{parseAge, parseWhen}, time] = await Promise.all([import('../../atom/when.ts'), context.time()]);
  const now = context.now();
  const bounds: Pick<JobFilter, 'since' | 'until' | 'olderThan'> = {};
  if (since !== undefined) bounds.since = parseWhen(since, {origin: '--since', time, now}).wall;
  if (until !== undefined) bounds.until = parseWhen(until, {origin: '--until', time, now}).wall;
  if (olderThan !== undefined) {
    const ageSeconds = parseAge(olderThan, '--older-than');
    bounds.olderThan = time.wallBefore(new Date(now.getTime() - ageSeconds * 1000));
  }
  return bounds;
}

/** Values of one key are alternatives. @throws AtomctlError USAGE for what is not KEY=VALUE */
function paramFilters(texts: readonly string[]): ParamFilter[] {
  const params = new Map<string, string[]>();
  for (const text of texts) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined)
      throw usageError(`"${text}" (--param) is not KEY=VALUE.`, 'Example: --param objectId=512.');
    params.set(key, [...(params.get(key) ?? []), value!]);
  }
  return [...params].map(([key, values]) => ({key, values}));
}

function sentencesOf({parts, unknown}: SettledValues, explain: boolean): string[] {
  const explained = parts.map(
    (name) => `No job is named "${sanitizeLine(name)}"; showing jobs with this text in their name.`,
  );
  return [...(explain ? explained : []), ...unknown.map(unknownSentence)];
}

const UNKNOWN = {
  name: {
    message: (value: string) => `No job has the name "${value}" or has this text in its name.`,
    existing: 'Names',
  },
  user: {message: (value: string) => `Unknown user "${value}".`, existing: 'Users with jobs'},
  object: {message: (value: string) => `No object has the slug "${value}".`, existing: ''},
};

/** Shown of a list of what there is. */
const MOST_SHOWN = 20;

function unknownSentence({kind, value, existing}: UnknownValue): string {
  const {message, existing: label} = UNKNOWN[kind];
  const shown = existing.slice(0, MOST_SHOWN).map(sanitizeLine);
  const more = existing.length > MOST_SHOWN ? ' and more' : '';
  const list = shown.length === 0 ? '' : ` ${label}: ${shown.join(', ')}${more}.`;
  return message(sanitizeLine(value)) + list;
}

/** True if a filter flag is given. */
export function hasFilter(flags: FilterFlags): boolean {
  return Object.keys(filterFlags).some((name) => {
    const value = flags[name as keyof FilterFlags];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
}
