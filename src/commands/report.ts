import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.ts';
import {historyFile} from '../cli/history-file.ts';
import {interruptibly} from '../cli/terminal/interrupt.ts';
import {versionLine} from '../cli/version.ts';
import {checkWholeFile, writeWholeFile} from '../files/write-whole-file.ts';
import {NAME_KINDS, type NameKind} from '../report/patterns.ts';

/** As doctor has it. */
const STUCK_AFTER_SECONDS = 3600;

export default class Report extends BaseCommand<typeof Report> {
  static override changes = false;
  static override summary =
    'Write a report for a forum post or a support request, without names and secrets.';
  static override usage = '<%= command.id %> FILE [FLAGS]';
  static override description =
    `The file has the versions, atomctl config, queue:status, queue:workers, the findings of doctor, the running jobs with the ends of their logs, and the end of the worker's journal. If a part cannot be obtained, the file has the reason.

Names are replaced by placeholders, always the same one for a name: user-1, host-2, title-1. --with keeps one kind of names: users (user names, full names, e-mail addresses), hosts (hosts, IP addresses, the names of the site and of its database), titles (of the objects of the jobs, and of the site), files (that jobs read and write). Passwords and tokens are always replaced. atomctl cannot find a name that is not in a setting or in the database: read the file before you post it.

atomctl does not run PHP: it reads the version from the file of the interpreter. Only you can read the report (mode 0600). If writing fails, no incomplete file is left.

Exit status: 0 written, 1 the file could not be written, 2 usage error, 130 interrupted.`;
  static override examples = [
    {
      description: 'Write a report for the forum',
      command: '<%= config.bin %> <%= command.id %> atom-report.txt',
    },
    {
      description: 'Write a report for a colleague, with the names of hosts and users',
      command: '<%= config.bin %> <%= command.id %> atom-report.txt --force --with hosts,users',
    },
    {description: 'Show the report on the terminal', command: '<%= config.bin %> <%= command.id %> - | less'},
  ];
  static override args = {
    file: Args.string({description: 'The file to write; - for stdout.', required: true, ignoreStdin: true}),
  };
  static override flags = {
    force: Flags.boolean({summary: 'Replace the file if it exists.'}),
    with: Flags.string({
      summary: 'Do not replace this kind of names.',
      helpValue: 'KIND',
      options: [...NAME_KINDS],
      delimiter: ',',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const path = this.args.file === '-' ? null : this.args.file;
    const kept = NAME_KINDS.filter((kind) => this.flags.with?.includes(kind));
    const file = path === null ? null : historyFile(path, this.flags.force);
    if (file !== null) await checkWholeFile(file);
    const report = await this.#make(kept);
    if (file !== null) await interruptibly(() => writeWholeFile({...file, chunks: once(report.text)}));
    const {text, sections, replaced} = report;
    const {renderReportSummary} = await import('../render/report.ts');
    const summary = renderReportSummary(
      report,
      path === null ? 'This report has:' : `Written to ${path}:`,
      kept,
    );
    const document = {written: path, report: path === null ? text : null, sections, replaced, kept};
    if (path === null) {
      if (!this.flags.quiet) this.tell(summary);
      await this.present(document, () => text);
    } else await this.presentSentences(document, () => (this.flags.quiet ? '' : summary));
  }

  async #make(kept: readonly NameKind[]) {
    const {makeReport} = await import('../cli/report/make-report.ts');
    return makeReport(this.context, {
      atomctl: versionLine(),
      stuckAfterSeconds: STUCK_AFTER_SECONDS,
      notice: (text) => this.notice(text),
      kept,
      env: this.io.env,
      argv: this.argv,
    });
  }
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
