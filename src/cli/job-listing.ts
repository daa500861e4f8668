import {type LiveJobs, listLiveJobs} from '../jobs/live/list-live.ts';
import {guessTotal, type JobTotals, totalJobs} from '../jobs/model/count.ts';
import type {JobFilter} from '../jobs/model/filter.ts';
import {renderCsv} from '../render/csv.ts';
import {DEFAULT_JOB_COLUMNS, JOB_COLUMN_NAMES, JOB_COLUMNS, type JobColumn} from '../render/jobs/columns.ts';
import {renderJobSummary, renderJobTable} from '../render/jobs/table.ts';
import type {Screen} from '../render/screen.ts';
import type {Context} from './context.ts';
import {type FilterFlags, jobFilter} from './flags/filter-flags.ts';
import {parseColumns, parseSort} from './flags/list-flags.ts';
import {liveSources, noticeMissing} from './live.ts';
import type {Watched} from './polling/watch.ts';

export interface ListingFlags extends FilterFlags {
  limit: number;
  offset: number;
  all: boolean;
  sort: string;
  columns?: string;
  'no-truncate': boolean;
  'no-live': boolean;
  probe: boolean;
  quiet?: boolean;
}

/** A page of jobs, and of how many it is one; null where that is not shown. */
export interface Listing extends LiveJobs {
  totals: JobTotals | null;
}

/** How well the jobs are counted: as a document says it, as a reader wants to know it, or not at all. */
export type Counting = 'exact' | 'quick' | 'none';

/** The page of jobs that the flags ask for, as it is now. @throws AtomctlError */
export async function fetchListing(
  context: Context,
  flags: ListingFlags,
  {counting, notice}: {counting: Counting; notice: (text: string) => void},
): Promise<Listing> {
  const now = context.now();
  const sort = parseSort(flags.sort);
  const filter = await jobFilter(flags, () => context.time(), now);
  const database = await context.database();
  const page = {sort, limit: flags.all ? null : flags.limit, offset: flags.offset, live: !flags['no-live']};
  const counted = filter.live === undefined;
  const guess = counted && counting === 'quick' ? await guessTotal({database, filter}) : null;
  const total = async (wanted: JobFilter) =>
    counting === 'none' ? null : (guess ?? totalJobs({database, filter: wanted}));
  const list = async () =>
    listLiveJobs({...page, database, filter, time: await context.time(), now}, () =>
      liveSources(context, {probe: flags.probe, notice}),
    );
  // Counting takes longest: the server is asked first, and does it while the site's clock is made ready.
  const [early, jobs] = await Promise.all([counted ? total(filter) : null, list()]);
  if (jobs.report !== null) noticeMissing(jobs.report, notice);
  return {...jobs, totals: counted ? early : await total(jobs.filter)};
}

/** As `--json` prints it. */
export function listingDocument({jobs, totals}: Listing) {
  return {jobs, ...totals};
}

/** As a table with a line under it. */
export async function renderListing(list: Listing, flags: ListingFlags, screen: Screen): Promise<string> {
  const columns = listingColumns(flags);
  const place = flags['no-truncate'] ? {...screen, width: Number.POSITIVE_INFINITY} : screen;
  const servers = list.report?.evidence.servers ?? [];
  const liveUnknown = servers.length > 0 && servers.every(({error}) => error !== null);
  const table = await renderJobTable(list.jobs, {columns, screen: place, liveUnknown});
  return list.totals === null ? table : table + renderJobSummary(list.jobs.length, list.totals, place);
}

/** The page to be watched. */
export function watchedListing(flags: ListingFlags, counting: Counting): Omit<Watched<Listing>, 'seconds'> {
  return {
    title: 'atomctl jobs:list',
    look: (context, notice) => fetchListing(context, flags, {counting, notice}),
    text: (list, screen) => renderListing(list, flags, screen),
    document: listingDocument,
  };
}

/** As CSV, with the columns of the table. */
export function renderListingCsv({jobs}: Listing, flags: ListingFlags): AsyncIterable<string> {
  const columns = listingColumns(flags);
  const cells = jobs.map((job) => columns.map((name) => JOB_COLUMNS[name].text(job)));
  return renderCsv(columns, [cells], {escapeFormulas: true, bom: false});
}

/** @throws AtomctlError USAGE */
export function listingColumns({columns}: ListingFlags): readonly JobColumn[] {
  return columns === undefined ? DEFAULT_JOB_COLUMNS : parseColumns(columns, JOB_COLUMN_NAMES);
}
