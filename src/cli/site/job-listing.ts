import type {SiteTime} from '../../atom/site-time.ts';
import {usageError} from '../../errors.ts';
import {type LiveJobs, listLiveJobs} from '../../jobs/live/list-live.ts';
import {guessTotal, type JobTotals, totalJobs, totalOf} from '../../jobs/model/count.ts';
import {isFiltered, type JobFilter, readsLogs} from '../../jobs/model/filter.ts';
import type {Job} from '../../jobs/model/job.ts';
import type {LastLine} from '../../jobs/model/last-lines.ts';
import {type JobSort, SORT_KEYS} from '../../jobs/model/list.ts';
import type {Database} from '../../mysql/database.ts';
import type {ListedJob} from '../../render/jobs/columns.ts';
import type {Context} from '../context.ts';
import {type FilterFlags, jobFilter} from '../flags/filter-flags.ts';
import {validValues} from '../suggest.ts';
import {liveSources, noticeMissing} from './live.ts';

export const DEFAULT_LIMIT = 50;

export interface ListingFlags extends FilterFlags {
  /** DEFAULT_LIMIT unless given. */
  limit?: number;
  offset: number;
  all: boolean;
  sort: string;
  columns?: string[];
  probe: boolean;
  quiet?: boolean;
}

/** What a list shows of the logs of its jobs, each of which the server has to read. */
export interface LogParts {
  /** When each was begun. */
  begin: boolean;
  /** The last line of each, or only of executing jobs without a note. */
  lastLines: 'all' | 'executing' | 'none';
}

/** A page of jobs, and how many match in all; null if that is not shown. */
export interface Listing extends LiveJobs {
  totals: JobTotals | null;
  lastLines: ReadonlyMap<number, LastLine>;
  /** The site's wall clock. */
  now: string;
}

/** How the matching jobs are counted: exactly for a document, quickly for a reader, or not at all. */
export type Counting = 'exact' | 'quick' | 'none';

export interface ListingOptions {
  counting: Counting;
  /** Whether the servers are asked for the live state of running jobs. */
  live: boolean;
  logs: LogParts;
  notice: (text: string) => void;
}

/** The page of jobs that the flags select. @throws AtomctlError */
export async function fetchListing(
  context: Context,
  flags: ListingFlags,
  {counting, live, logs, notice}: ListingOptions,
): Promise<Listing> {
  const now = context.now();
  const sort = parseSort(flags.sort);
  const filter = await jobFilter(flags, context, {notice});
  const database = await context.database();
  const limit = flags.all ? null : (flags.limit ?? DEFAULT_LIMIT);
  const page = {sort, limit, offset: flags.offset, live, begin: logs.begin};
  const list = async () =>
    listLiveJobs({...page, database, filter, time: await context.time(), now}, () =>
      liveSources(context, {probe: flags.probe, notice}),
    );
  // Without a filter counting takes longest: the server starts on it while the site's clock is prepared.
  const early = filter.live !== undefined || isFiltered(filter) ? null : countAll(database, counting);
  const [totals, listed] = await Promise.all([early, list()]);
  if (listed.report !== null) noticeMissing(listed.report, notice);
  const jobs = listed.jobs.filter((job) => hasWantedStatus(job, filter));
  const isAll = page.offset === 0 && listed.jobs.length < (limit ?? Number.POSITIVE_INFINITY);
  const matching = totals ?? (await countMatching(database, {jobs, isAll, filter: listed.filter, counting}));
  const time = await context.time();
  const lastLines = await readLastLines(database, time, {jobs, wanted: logs.lastLines});
  return {...listed, jobs, totals: matching, lastLines, now: time.toWall(now)};
}

/** False for a job that was running and ended while the servers were asked, if only running ones are wanted. */
function hasWantedStatus({status}: Job, {statuses, live}: JobFilter): boolean {
  return (statuses?.includes(status) ?? true) && (live === undefined || status === 'running');
}

/** Loaded late: most lists have no executing job. */
async function readLastLines(
  database: Database,
  time: SiteTime,
  {jobs, wanted}: {jobs: readonly Job[]; wanted: LogParts['lastLines']},
): Promise<ReadonlyMap<number, LastLine>> {
  const isShown = ({live, likely, notes}: Job) =>
    wanted === 'all' || (wanted === 'executing' && (likely ?? live) === 'executing' && notes.length === 0);
  const ids = jobs.filter(isShown).map(({id}) => id);
  if (ids.length === 0) return new Map();
  return (await import('../../jobs/model/last-lines.ts')).lastLines(database, {ids, time});
}

/** The jobs with the last lines of their logs, for a table. */
export function listedJobs({jobs, lastLines}: Pick<Listing, 'jobs' | 'lastLines'>): ListedJob[] {
  if (lastLines.size === 0) return jobs;
  return jobs.map((job) => ({...job, lastLine: lastLines.get(job.id)}));
}

async function countAll(database: Database, counting: Counting): Promise<JobTotals | null> {
  if (counting === 'none') return null;
  const guess = counting === 'quick' ? await guessTotal({database, filter: {}}) : null;
  return guess ?? totalJobs({database, filter: {}});
}

interface ListedPage {
  jobs: Job[];
  /** The page is not full: it has all that match. */
  isAll: boolean;
  filter: JobFilter;
  counting: Counting;
}

/** More jobs than those of a page are counted by a second search, as long as the first one. */
async function countMatching(
  database: Database,
  {jobs, isAll, filter, counting}: ListedPage,
): Promise<JobTotals | null> {
  if (counting === 'none') return null;
  if (isAll) return totalOf(jobs);
  if (counting === 'quick' && readsLogs(filter)) return {total: null, counts: null};
  return totalJobs({database, filter});
}

/** Reads `name` or `-name`. @throws AtomctlError USAGE naming the sort keys */
export function parseSort(given: string): JobSort {
  const text = given.trim();
  const descending = text.startsWith('-');
  const key = SORT_KEYS.find((name) => name === text.slice(descending ? 1 : 0));
  if (key === undefined) {
    throw usageError(
      `"${text}" (--sort) is not a valid value.`,
      `${validValues(text.replace('-', ''), SORT_KEYS)} Put - before one for descending order.`,
    );
  }
  return {key, descending};
}
