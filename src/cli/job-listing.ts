import {countJobs} from '../jobs/count.ts';
import type {JobList} from '../jobs/list.ts';
import {type LiveJobList, listLiveJobs} from '../jobs/live-list.ts';
import {renderCsv} from '../render/csv.ts';
import {DEFAULT_JOB_COLUMNS, JOB_COLUMN_NAMES, JOB_COLUMNS, type JobColumn} from '../render/job-columns.ts';
import {renderJobSummary, renderJobTable} from '../render/job-table.ts';
import type {Screen} from '../render/screen.ts';
import type {Context} from './context.ts';
import {type FilterFlags, jobFilter} from './flags/filter-flags.ts';
import {parseColumns, parseSort} from './flags/list-flags.ts';
import {liveSources, noticeMissing} from './live.ts';
import type {Watched} from './staying/watch.ts';

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

/** The page of jobs that the flags ask for, as it is now. @throws AtomctlError */
export async function lookAtListing(
  context: Context,
  flags: ListingFlags,
  notice: (text: string) => void,
): Promise<LiveJobList> {
  const now = context.now();
  const sort = parseSort(flags.sort);
  const filter = await jobFilter(flags, () => context.time(), now);
  const database = await context.database();
  // Counting a long history takes longest: the server does it while the site's clock is made ready.
  const [time, counts] = await Promise.all([
    context.time(),
    filter.live === undefined ? countJobs({database, filter}) : undefined,
  ]);
  const limit = flags.all ? null : flags.limit;
  const live = !flags['no-live'];
  const list = await listLiveJobs(
    {database, time, now, filter, sort, limit, offset: flags.offset, counts, live},
    () => liveSources(context, {probe: flags.probe, notice}),
  );
  if (list.report !== null) noticeMissing(list.report, notice);
  return list;
}

/** As `--json` prints it. */
export function listingDocument({jobs, total, counts}: LiveJobList): JobList {
  return {jobs, total, counts};
}

/** As a table with a line under it. */
export async function renderListing(list: LiveJobList, flags: ListingFlags, screen: Screen): Promise<string> {
  const columns = listingColumns(flags);
  const place = flags['no-truncate'] ? {...screen, width: Number.POSITIVE_INFINITY} : screen;
  const liveUnknown = list.report?.answered === false;
  const table = await renderJobTable(list.jobs, {columns, screen: place, liveUnknown});
  if (flags.quiet) return table;
  return table + renderJobSummary(list.jobs.length, list.total, list.counts, place);
}

/** The page to be watched. */
export function watchedListing(flags: ListingFlags): Omit<Watched<LiveJobList>, 'seconds'> {
  return {
    title: 'atomctl jobs:list',
    look: (context, notice) => lookAtListing(context, flags, notice),
    text: (list, screen) => renderListing(list, flags, screen),
    document: listingDocument,
  };
}

/** As CSV, with the columns of the table. */
export function renderListingCsv({jobs}: LiveJobList, flags: ListingFlags): AsyncIterable<string> {
  const columns = listingColumns(flags);
  const cells = jobs.map((job) => columns.map((name) => JOB_COLUMNS[name].text(job)));
  return renderCsv(columns, [cells], {escapeFormulas: true, bom: false});
}

/** @throws AtomctlError USAGE */
export function listingColumns({columns}: ListingFlags): readonly JobColumn[] {
  return columns === undefined ? DEFAULT_JOB_COLUMNS : parseColumns(columns, JOB_COLUMN_NAMES);
}
