import {Flags} from '@oclif/core';
import {allSitesFlag} from '../../cli/all-sites.ts';
import {BaseCommand} from '../../cli/base-command.ts';
import type {Context} from '../../cli/context.ts';
import {columnsFlag, parseColumns} from '../../cli/flags/columns-flag.ts';
import {type FilterFlags, filterFlags, jobFilter} from '../../cli/flags/filter-flags.ts';
import {wholeNumber} from '../../cli/flags/shared-flags.ts';
import {liveSources, noticeMissing} from '../../cli/live.ts';
import {watch, watchFlag} from '../../cli/polling/watch.ts';
import {withFlag} from '../../cli/read-only.ts';
import {didYouMean} from '../../cli/suggest.ts';
import {EXIT, usageError} from '../../errors.ts';
import {type LiveJobs, listLiveJobs} from '../../jobs/live/list-live.ts';
import {guessTotal, type JobTotals, totalJobs, totalOf} from '../../jobs/model/count.ts';
import {isFiltered, type JobFilter, readsLogs} from '../../jobs/model/filter.ts';
import type {Job} from '../../jobs/model/job.ts';
import {type JobSort, SORT_KEYS} from '../../jobs/model/list.ts';
import type {Database} from '../../mysql/database.ts';
import {renderCsv} from '../../render/csv.ts';
import {
  DEFAULT_JOB_COLUMNS,
  JOB_COLUMN_NAMES,
  JOB_COLUMNS,
  type JobColumn,
} from '../../render/jobs/columns.ts';
import {renderJobSummary, renderJobTable} from '../../render/jobs/table.ts';
import type {Screen} from '../../render/screen.ts';

/** Which page of the list, and in which order. */
const pageFlags = {
  limit: Flags.custom<number>({
    char: 'n',
    summary: 'At most this many jobs.',
    helpValue: 'N',
    default: 50,
    parse: wholeNumber(1, 'number of jobs'),
    exclusive: ['all'],
  })(),
  offset: Flags.custom<number>({
    summary: 'Leave out the first N.',
    helpValue: 'N',
    default: 0,
    parse: wholeNumber(0, 'number of jobs'),
  })(),
  all: Flags.boolean({summary: 'All jobs, no page.'}),
  sort: Flags.string({
    summary: `Sort by ${SORT_KEYS.join('|')}, with - for descending; ties by id.`,
    helpValue: 'KEY',
    default: '-id',
  }),
};

/** How the list is shown. */
const outputFlags = {
  columns: columnsFlag(JOB_COLUMN_NAMES),
  csv: Flags.boolean({summary: 'Print CSV, with the columns of the table.', exclusive: ['json']}),
  'no-truncate': Flags.boolean({summary: 'Cut nothing, even if the terminal is too narrow.'}),
  'no-live': Flags.boolean({
    summary: 'Do not ask Gearman for the live state.',
    exclusive: ['live', 'probe'],
  }),
  probe: Flags.boolean({
    summary:
      'Read the payloads of waiting jobs and give them back in order: tells queued from lost for jobs that never began.',
  }),
  // A probe takes jobs and gives them back, and every return counts as a retry.
  watch: watchFlag(['csv', 'probe']),
};

export default class JobsList extends BaseCommand<typeof JobsList> {
  /** A probe takes waiting jobs and gives them back: gearmand counts a retry of each. */
  static override changes = withFlag('probe');
  static override summary = 'List the jobs, newest first.';
  static override description =
    `The Manage > Jobs page in a shell: filtered, sorted, paged. For running jobs the column LIVE says what they really are: executing, queued, finished (its work is done, only the row was not saved), lost (no Gearman server knows the job, and no worker can be running it) or uncertain. With a question mark, as in queued? or lost?, the state is likely but not proved; jobs:show says what is missing.

The line under the table says how many jobs there are. Of more than about 200,000 without a filter it gives the database's own estimate, and says so; with --grep or --param it says nothing about more than a page. --json counts them.

Exit status: 0 listed, 2 usage error, 3 database unreachable, 130 a watch was interrupted.`;
  static override examples = [
    {
      description: 'What is running, and what is it really doing?',
      command: '<%= config.bin %> <%= command.id %> --running',
    },
    {
      description: 'Failed imports of the last month, as JSON',
      command: '<%= config.bin %> <%= command.id %> --failed --name import --since 30d --json',
    },
  ];
  static override flags = {
    ...filterFlags,
    ...pageFlags,
    ...outputFlags,
    'all-sites': allSitesFlag(['watch', 'csv']),
  };

  async run(): Promise<void> {
    const {flags} = this;
    listedColumns(flags);
    if (flags.csv) await this.#printCsv();
    else if (flags.watch !== undefined) await this.#watch(flags.watch);
    else {
      const counting = this.#counting();
      await this.answer(async (context, notice) => {
        const list = await fetchListing(context, flags, {counting, notice});
        const text = (screen: Screen) => renderListing(list, flags, screen);
        return {document: listingDocument(list), text, exitStatus: EXIT.ok};
      }, flags['all-sites']);
    }
  }

  async #printCsv(): Promise<void> {
    const notice = (text: string) => this.notice(text);
    const list = await fetchListing(this.context, this.flags, {counting: 'none', notice});
    await this.print(renderListingCsv(list, this.flags));
  }

  async #watch(seconds: number): Promise<void> {
    const {flags} = this;
    const counting = this.#counting();
    const watched = {
      title: 'atomctl jobs:list',
      seconds,
      fetch: (context: Context, notice: (text: string) => void) =>
        fetchListing(context, flags, {counting, notice}),
      text: (list: Listing, screen: Screen) => renderListing(list, flags, screen),
      document: listingDocument,
    };
    this.exitWith(await watch(this.context, watched, this.watchOutput));
  }

  #counting(): Counting {
    if (this.jsonEnabled()) return 'exact';
    return this.flags.quiet ? 'none' : 'quick';
  }
}

export interface ListingFlags extends FilterFlags {
  limit: number;
  offset: number;
  all: boolean;
  sort: string;
  columns?: string[];
  'no-truncate': boolean;
  'no-live': boolean;
  probe: boolean;
  quiet?: boolean;
}

/** A page of jobs, and how many match in all; null if that is not shown. */
export interface Listing extends LiveJobs {
  totals: JobTotals | null;
  /** The site's wall clock. */
  now: string;
}

/** How the matching jobs are counted: exactly for a document, quickly for a reader, or not at all. */
export type Counting = 'exact' | 'quick' | 'none';

/** The page of jobs that the flags select. @throws AtomctlError */
export async function fetchListing(
  context: Context,
  flags: ListingFlags,
  {counting, notice}: {counting: Counting; notice: (text: string) => void},
): Promise<Listing> {
  const now = context.now();
  const sort = parseSort(flags.sort);
  const filter = await jobFilter(flags, context, {notice});
  const database = await context.database();
  const page = {sort, limit: flags.all ? null : flags.limit, offset: flags.offset, live: !flags['no-live']};
  const list = async () =>
    listLiveJobs({...page, database, filter, time: await context.time(), now}, () =>
      liveSources(context, {probe: flags.probe, notice}),
    );
  // Without a filter counting takes longest: the server starts on it while the site's clock is prepared.
  const early = filter.live !== undefined || isFiltered(filter) ? null : countAll(database, counting);
  const [totals, jobs] = await Promise.all([early, list()]);
  if (jobs.report !== null) noticeMissing(jobs.report, notice);
  const matching = totals ?? (await countMatching(database, {...jobs, page, counting}));
  return {...jobs, totals: matching, now: (await context.time()).toWall(now)};
}

async function countAll(database: Database, counting: Counting): Promise<JobTotals | null> {
  if (counting === 'none') return null;
  const guess = counting === 'quick' ? await guessTotal({database, filter: {}}) : null;
  return guess ?? totalJobs({database, filter: {}});
}

interface ListedPage {
  jobs: Job[];
  filter: JobFilter;
  page: {limit: number | null; offset: number};
  counting: Counting;
}

/** A page that is not full is all that there is. More jobs are counted by a second search, as long as the first one. */
async function countMatching(
  database: Database,
  {jobs, filter, page: {limit, offset}, counting}: ListedPage,
): Promise<JobTotals | null> {
  if (counting === 'none') return null;
  if (offset === 0 && jobs.length < (limit ?? Number.POSITIVE_INFINITY)) return totalOf(jobs);
  if (counting === 'quick' && readsLogs(filter)) return {total: null, counts: null};
  return totalJobs({database, filter});
}

/** What `--json` prints. */
function listingDocument({jobs, totals}: Listing) {
  return {jobs, ...totals};
}

/** A table with a line under it. */
async function renderListing(list: Listing, flags: ListingFlags, screen: Screen): Promise<string> {
  const columns = listedColumns(flags);
  const tableScreen = flags['no-truncate'] ? {...screen, width: Number.POSITIVE_INFINITY} : screen;
  const servers = list.report?.evidence.servers ?? [];
  const liveUnknown = servers.length > 0 && servers.every(({error}) => error !== null);
  const table = await renderJobTable(list.jobs, {
    columns,
    allStay: flags.columns !== undefined,
    screen: tableScreen,
    now: list.now,
    liveUnknown,
  });
  return list.totals === null ? table : table + renderJobSummary(list.jobs.length, list.totals, tableScreen);
}

/** CSV with the columns of the table. */
function renderListingCsv({jobs}: Listing, flags: ListingFlags): AsyncIterable<string> {
  const columns = listedColumns(flags);
  const cells = jobs.map((job) => columns.map((name) => JOB_COLUMNS[name].text(job)));
  return renderCsv(columns, [cells], {escapeFormulas: true, bom: false});
}

/** @throws AtomctlError USAGE for an unknown column */
function listedColumns({columns}: ListingFlags): readonly JobColumn[] {
  return columns === undefined ? DEFAULT_JOB_COLUMNS : parseColumns(columns, JOB_COLUMN_NAMES);
}

/** Reads `name` or `-name`. @throws AtomctlError USAGE naming the sort keys */
export function parseSort(given: string): JobSort {
  const text = given.trim();
  const descending = text.startsWith('-');
  const key = SORT_KEYS.find((name) => name === text.slice(descending ? 1 : 0));
  if (key === undefined) {
    throw usageError(
      `Invalid --sort "${text}".`,
      `${didYouMean(text.replace('-', ''), SORT_KEYS)}Sort by one of ${SORT_KEYS.join(', ')}, with - for descending.`,
    );
  }
  return {key, descending};
}
