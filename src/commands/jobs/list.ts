import {BaseCommand} from '../../cli/base-command.ts';
import {filterFlags, jobFilter} from '../../cli/filter-flags.ts';
import {listFlags, pageFlags, parseColumns, parseSort} from '../../cli/list-flags.ts';
import {liveSources, noticeMissing} from '../../cli/live.ts';
import {listLiveJobs} from '../../jobs/live-list.ts';
import {renderCsv} from '../../render/csv.ts';
import {DEFAULT_JOB_COLUMNS, JOB_COLUMN_NAMES, JOB_COLUMNS} from '../../render/job-columns.ts';
import {renderJobSummary, renderJobTable} from '../../render/job-table.ts';

export default class JobsList extends BaseCommand<typeof JobsList> {
  static override summary = 'List the jobs, newest first.';
  static override description =
    `The Manage > Jobs page in a shell: filtered, sorted, paged. For running jobs the column LIVE says what they
really are: executing, queued, lost (no Gearman server knows the job: it will never end by itself) or uncertain.

Exit status: 0 listed, 2 usage error, 3 database unreachable.`;
  static override examples = [
    {
      description: 'What is running, and what is it really doing?',
      command: '<%= config.bin %> <%= command.id %> --running',
    },
    {
      description: 'Failed imports of the last month, as JSON',
      command: "<%= config.bin %> <%= command.id %> --failed --name '*Import*' --since 2026-10-23 --json",
    },
  ];
  static override flags = {...filterFlags, ...pageFlags, ...listFlags};

  async run(): Promise<void> {
    const {flags} = this;
    const columns =
      flags.columns === undefined ? DEFAULT_JOB_COLUMNS : parseColumns(flags.columns, JOB_COLUMN_NAMES);
    const now = this.context.now();
    const filter = await jobFilter(flags, () => this.context.time(), now);
    const [database, time] = await Promise.all([this.context.database(), this.context.time()]);
    const list = await listLiveJobs(
      {
        database,
        time,
        now,
        filter,
        sort: parseSort(flags.sort),
        limit: flags.all ? null : flags.limit,
        offset: flags.offset,
        live: !flags['no-live'],
      },
      () => liveSources(this.context, {probe: flags.probe, notice: (text) => this.notice(text)}),
    );
    if (list.report !== null) noticeMissing(list.report, (text) => this.notice(text));

    const {jobs, total, counts} = list;
    if (flags.csv) {
      const cells = jobs.map((job) => columns.map((name) => JOB_COLUMNS[name].text(job)));
      await this.print(renderCsv(columns, [cells], {escapeFormulas: true, bom: false}));
      return;
    }
    await this.present({jobs, total, counts}, async () => {
      const screen = flags['no-truncate'] ? {...this.screen, width: Number.POSITIVE_INFINITY} : this.screen;
      const table = await renderJobTable(jobs, {
        columns,
        screen,
        liveUnknown: list.report?.answered === false,
      });
      return flags.quiet ? table : table + renderJobSummary(jobs.length, total, counts, screen);
    });
  }
}
