import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import type {Context} from '../../cli/context.ts';
import {columnsFlag, parseColumns} from '../../cli/flags/columns-flag.ts';
import {filterFlags} from '../../cli/flags/filter-flags.ts';
import {wholeNumber} from '../../cli/flags/shared-flags.ts';
import {watch, watchFlag} from '../../cli/polling/watch.ts';
import {withFlag} from '../../cli/read-only.ts';
import {allSitesFlag} from '../../cli/site/all-sites.ts';
import {
  type Counting,
  DEFAULT_LIMIT,
  fetchListing,
  type Listing,
  type LogParts,
  listedJobs,
} from '../../cli/site/job-listing.ts';
import {written} from '../../cli/terminal/io.ts';
import {EXIT} from '../../errors.ts';
import {SORT_KEYS} from '../../jobs/model/list.ts';
import {DEFAULT_JOB_COLUMNS, JOB_COLUMN_NAMES, type JobColumn} from '../../render/jobs/columns.ts';
import {type JobData, renderJobData} from '../../render/jobs/data.ts';
import {jobSummary, renderJobSummary, renderJobTable} from '../../render/jobs/table.ts';
import type {Screen} from '../../render/screen.ts';

/** Which page of the list, and in which order. */
const pageFlags = {
  limit: Flags.custom<number>({
    char: 'n',
    summary: `Show at most this many jobs; the default is ${DEFAULT_LIMIT}.`,
    helpValue: 'N',
    parse: wholeNumber(1, 'number of jobs'),
    exclusive: ['all'],
  })(),
  offset: Flags.custom<number>({
    summary: 'Skip the first N jobs.',
    helpValue: 'N',
    default: 0,
    parse: wholeNumber(0, 'number of jobs'),
  })(),
  all: Flags.boolean({summary: 'Show all jobs, not only a page.'}),
  sort: Flags.string({
    summary: `Sort by ${SORT_KEYS.join('|')}, with - for descending order; equal jobs are sorted by id.`,
    helpValue: 'KEY',
    default: '-id',
  }),
};

/** A longer list has no begunAt and no waitedSeconds, unless its columns have them. */
const MOST_BEGUN = 1000;

const DATA_FORMATS = ['jsonl', 'csv', 'tsv', 'ids'] as const;

function formatFlag(format: JobData['format'], summary: string, alsoExclusive: string[] = []) {
  const others = ['json', ...DATA_FORMATS].filter((other) => other !== format);
  return Flags.boolean({summary, exclusive: [...others, ...alsoExclusive]});
}

/** How the list is shown. */
const outputFlags = {
  columns: columnsFlag(JOB_COLUMN_NAMES),
  csv: formatFlag('csv', 'Print CSV, with the columns of the table; durations in seconds.'),
  tsv: formatFlag('tsv', 'Print the same with tabs and without quotes.'),
  jsonl: formatFlag('jsonl', 'Print one job per line as JSON.'),
  ids: formatFlag('ids', 'Print only the ids, one per line.', ['columns', 'all-sites']),
  'no-header': Flags.boolean({summary: 'Do not print the header line.'}),
  'no-truncate': Flags.boolean({summary: 'Do not cut texts, even if the terminal is too narrow.'}),
  'no-live': Flags.boolean({
    summary: 'Do not ask Gearman for the live state.',
    exclusive: ['live', 'probe'],
  }),
  probe: Flags.boolean({
    summary:
      'Read the payloads of waiting jobs and return the jobs in order: this distinguishes queued from lost for jobs that never began.',
  }),
  // A probe takes jobs and gives them back, and every return counts as a retry.
  watch: watchFlag([...DATA_FORMATS, 'probe']),
};

export default class JobsList extends BaseCommand<typeof JobsList> {
  /** A probe takes waiting jobs and gives them back: gearmand counts a retry of each. */
  static override changes = withFlag('probe');
  static override summary = 'List the jobs, newest first.';
  static override description =
    `Shows what AtoM's Manage > Jobs page shows, with filters, sorting and pages. For running jobs, the column LIVE shows the live state: executing, queued, finished (the work is done, only the row was not saved), lost (no Gearman server knows the job, and no worker can be running it) or uncertain. A question mark, as in queued? or lost?, means that the state is likely but not proved; jobs:show says what is missing.

The line under the table shows the number of jobs; in a pipe, it goes to stderr. Without a filter, for more than about 200,000 jobs, the number is an estimate of the database, and the line says so. With --grep or --param, jobs beyond the page are not counted. --json always counts all jobs.

Exit status: 0 listed, 2 usage error, 3 database unreachable, 130 a watch was interrupted.`;
  static override examples = [
    {
      description: 'Show the running jobs and what each really does',
      command: '<%= config.bin %> <%= command.id %> --running',
    },
    {
      description: 'Show the failed imports of the last month as JSON',
      command: '<%= config.bin %> <%= command.id %> --failed --name import --since 30d --json',
    },
    {
      description: 'Print the ids of all lost jobs, for another command',
      command: '<%= config.bin %> <%= command.id %> --live lost --all --ids',
    },
  ];
  static override flags = {
    ...filterFlags,
    ...pageFlags,
    ...outputFlags,
    'all-sites': allSitesFlag(['watch']),
  };

  async run(): Promise<void> {
    const {flags} = this;
    const columns = this.#columns;
    const format = DATA_FORMATS.find((name) => flags[name]);
    if (format !== undefined) await this.#printData(format, columns);
    else if (flags.watch !== undefined) await this.#watch(flags.watch);
    else {
      const counting = this.#counting();
      const tellTotals: (() => void)[] = [];
      await this.answer(async (context, notice) => {
        const list = await fetchListing(context, flags, {
          counting,
          live: this.#showsLive,
          logs: this.#logs,
          notice,
        });
        const text = (screen: Screen) => {
          if (screen.isTTY) return this.#listing(list, screen);
          // In a pipe, the line under the table goes to stderr.
          const {jobs, totals} = list;
          if (totals !== null) tellTotals.push(() => notice(jobSummary(jobs.length, totals)));
          return this.#listing({...list, totals: null}, screen);
        };
        return {document: listingDocument(list), text, exitStatus: EXIT.ok};
      }, flags['all-sites']);
      // What could not be written was not shown.
      await written(this.io.stdout, '');
      for (const tell of tellTotals) tell();
    }
  }

  /** @throws AtomctlError USAGE for an unknown column */
  get #columns(): readonly JobColumn[] {
    const {columns} = this.flags;
    return columns === undefined ? DEFAULT_JOB_COLUMNS : parseColumns(columns, JOB_COLUMN_NAMES);
  }

  /** Without the column, nobody sees the live state, and the servers are not asked. */
  get #showsLive(): boolean {
    const {'no-live': noLive, jsonl, ids} = this.flags;
    if (noLive || ids) return false;
    return this.jsonEnabled() || jsonl || this.#columns.includes('live');
  }

  /** The logs are long, and the server reads all of each: only if the list shows something of them. */
  get #logs(): LogParts {
    const {all, limit = DEFAULT_LIMIT, jsonl, ids} = this.flags;
    const isDocument = this.jsonEnabled() || jsonl;
    const columns: readonly JobColumn[] = ids ? [] : this.#columns;
    const begin = columns.includes('waited') || (isDocument && !all && limit <= MOST_BEGUN);
    if (isDocument) return {begin, lastLines: 'none'};
    const executing = columns.includes('info') ? 'executing' : 'none';
    return {begin, lastLines: columns.includes('activity') ? 'all' : executing};
  }

  /** For a program. That the page has not all jobs is said on stderr, unless its length was given. */
  async #printData(format: JobData['format'], columns: readonly JobColumn[]): Promise<void> {
    const {flags} = this;
    const counting = flags.quiet || flags.all || flags.limit !== undefined ? 'none' : 'quick';
    const [live, logs] = [this.#showsLive, this.#logs];
    const pages = this.readSites(
      async function* (context, notice) {
        const list = await fetchListing(context, flags, {counting, live, logs, notice});
        yield listedJobs(list);
        const {jobs, totals} = list;
        if (totals !== null && totals.total !== jobs.length) notice(jobSummary(jobs.length, totals));
      },
      {everySite: flags['all-sites']},
    );
    const {'no-header': noHeader, 'all-sites': sites} = flags;
    await this.print(renderJobData(pages, {format, columns, header: !noHeader, sites}));
  }

  async #listing(list: Listing, screen: Screen): Promise<string> {
    const {jobs, totals, report, now} = list;
    const {'no-truncate': uncut, 'no-header': noHeader} = this.flags;
    const tableScreen = uncut ? {...screen, width: Number.POSITIVE_INFINITY} : screen;
    const servers = report?.evidence.servers ?? [];
    const liveUnknown = servers.length > 0 && servers.every(({error}) => error !== null);
    const {table, leftOut} = await renderJobTable(listedJobs(list), {
      columns: this.#columns,
      allStay: this.flags.columns !== undefined,
      screen: tableScreen,
      now,
      liveUnknown,
    });
    const shown = noHeader ? table.slice(table.indexOf('\n') + 1) : table;
    return totals === null ? shown : shown + renderJobSummary(jobs.length, totals, {screen, leftOut});
  }

  async #watch(seconds: number): Promise<void> {
    const {flags} = this;
    const [counting, live, logs] = [this.#counting(), this.#showsLive, this.#logs];
    const watched = {
      title: 'atomctl jobs:list',
      seconds,
      fetch: (context: Context, notice: (text: string) => void) =>
        fetchListing(context, flags, {counting, live, logs, notice}),
      text: (list: Listing, screen: Screen) => this.#listing(list, screen),
      document: listingDocument,
    };
    this.exitWith(await watch(this.context, watched, this.watchOutput));
  }

  #counting(): Counting {
    if (this.jsonEnabled()) return 'exact';
    return this.flags.quiet ? 'none' : 'quick';
  }
}

/** What `--json` prints. */
function listingDocument({jobs, totals}: Listing) {
  return {jobs, ...totals};
}
