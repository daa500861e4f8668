import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import type {Context} from '../../cli/context.ts';
import {columnsFlag, parseColumns} from '../../cli/flags/columns-flag.ts';
import {type FilterFlags, filterFlags, jobFilter} from '../../cli/flags/filter-flags.ts';
import {historyFile} from '../../cli/history-file.ts';
import {allSitesFlag, type SitePart} from '../../cli/site/all-sites.ts';
import {liveReport} from '../../cli/site/live.ts';
import {interruptibly, untilInterrupted} from '../../cli/terminal/interrupt.ts';
import {checkWholeFile, writeWholeFile} from '../../files/write-whole-file.ts';
import {ATOM_COLUMNS, HISTORY_COLUMN_NAMES, type HistoryColumn} from '../../jobs/export/columns.ts';
import {exportRows} from '../../jobs/export/export-csv.ts';
import {settleLiveFilter} from '../../jobs/live/list-live.ts';
import {renderCsv} from '../../render/csv.ts';

export default class JobsExportCsv extends BaseCommand<typeof JobsExportCsv> {
  static override changes = false;
  static override summary = "Export the job history as AtoM's own CSV, oldest first.";
  static override description =
    `Any number of jobs can be exported. The file is replaced only when the new one is complete and synced.

With --output and --json: {"exported": "FILE", "total": n}.

Exit status: 0 exported, 1 the file could not be written, 2 usage error, 3 database unreachable.`;
  static override examples = [
    {
      description: 'Export everything to a file',
      command: '<%= config.bin %> <%= command.id %> --output jobs.csv --force',
    },
    {
      description: 'Send the failed jobs of the last 90 days, with their ids, to another program',
      command:
        '<%= config.bin %> <%= command.id %> --failed --since 90d --columns id,started,name,info | head',
    },
    {
      description: 'Export the history of one month',
      command: '<%= config.bin %> <%= command.id %> --since 2026-10 --until 2026-11 --output october.csv',
    },
  ];
  static override flags = {
    ...filterFlags,
    json: Flags.boolean({
      summary: 'Print as JSON what was written to the file.',
      dependsOn: ['output'],
      helpGroup: 'GLOBAL',
    }),
    output: Flags.string({
      char: 'o',
      summary: 'The file to write; the default is stdout.',
      helpValue: 'FILE',
    }),
    force: Flags.boolean({summary: 'Replace the file if it exists.', dependsOn: ['output']}),
    columns: columnsFlag(HISTORY_COLUMN_NAMES),
    'all-sites': allSitesFlag(),
    bom: Flags.boolean({summary: 'Begin with a byte order mark, so that Excel recognises UTF-8.'}),
    'no-escape-formulas': Flags.boolean({
      summary: 'Do not change cells that contain formulas or control characters.',
    }),
  };

  async run(): Promise<void> {
    const {output: path, force, 'all-sites': everySite, ...flags} = this.flags;
    const columns =
      flags.columns === undefined ? ATOM_COLUMNS : parseColumns(flags.columns, HISTORY_COLUMN_NAMES);
    if (path !== undefined) await checkWholeFile(historyFile(path, force));
    let total = 0;
    const parts = this.readSites((context, notice) => readHistory(context, {flags, columns, notice}), {
      everySite,
      // A file that lacks a site would look complete.
      endAtFailure: path !== undefined,
    });
    const rows = withSites(parts, (batch) => {
      total += batch.length;
    });
    const header = everySite ? ['site', ...columns] : columns;
    const chunks = renderCsv(header, rows, {escapeFormulas: !flags['no-escape-formulas'], bom: flags.bom});
    if (path === undefined) return this.print(chunks);
    await interruptibly((signal) =>
      writeWholeFile({...historyFile(path, force), chunks: untilInterrupted(chunks, signal)}),
    );
    if (flags.json) await this.present({exported: path, total}, () => '');
    else this.notice(`${total} jobs exported to ${path}.`);
  }
}

interface HistoryOptions {
  flags: FilterFlags;
  columns: readonly HistoryColumn[];
  notice: (text: string) => void;
}

/** The cells of a site's jobs. @throws AtomctlError USAGE for a wrong filter; for the database */
async function* readHistory(
  context: Context,
  {flags, columns, notice}: HistoryOptions,
): AsyncIterable<string[][]> {
  const wanted = await jobFilter(flags, context, {notice});
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const filter = await settleLiveFilter(wanted, () => liveReport(context, notice));
  yield* exportRows({database, time, now: context.now(), filter, columns});
}

/** The rows of all parts, each with its site before it if one is named; `onBatch` is called for each batch. */
async function* withSites(
  parts: AsyncIterable<SitePart<string[][]>>,
  onBatch: (batch: string[][]) => void,
): AsyncIterable<string[][]> {
  for await (const {site, part} of parts) {
    onBatch(part);
    yield site === null ? part : part.map((cells) => [site, ...cells]);
  }
}
