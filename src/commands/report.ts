import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.ts';
import {historyFile} from '../cli/history-file.ts';
import {interruptibly} from '../cli/interrupt.ts';
import {versionLine} from '../cli/version.ts';
import {EXIT} from '../errors.ts';
import {checkWholeFile, writeWholeFile} from '../files/write-whole-file.ts';
import {NAME_KINDS, type NameKind} from '../report/patterns.ts';

/** As doctor has it. */
const STUCK_AFTER_SECONDS = 3600;

export default class Report extends BaseCommand<typeof Report> {
  static override changes = false;
  static override summary =
    'Write one file for a forum post or a support request, without names and secrets.';
  static override usage = '<%= command.id %> FILE [FLAGS]';
  static override description =
    `The file has the versions, atomctl config, queue:status, queue:workers, the findings of doctor, the running jobs with the ends of their logs, and the end of the worker's journal. What cannot be obtained is in it as one sentence.

Names are replaced by placeholders, the same for the same name: user-1, host-2, title-1. --with leaves a kind of names as it is: users (user names, full names, e-mail addresses), hosts (hosts, IP addresses, the names of the site and of its database), titles (of the objects of the jobs, and of the site), files (that jobs read and write). Passwords and tokens are always replaced. A name that is in no setting and that the database does not know is not found: read the file before you post it.

PHP is not run: its version is read from the interpreter's file. The file belongs to you alone (mode 0600), and is written whole or not at all.

Exit status: 0 written, 1 a part is not available or the file could not be written, 2 usage error, 130 interrupted.`;
  static override examples = [
    {description: 'For the forum', command: '<%= config.bin %> <%= command.id %> atom-report.txt'},
    {
      description: 'For a colleague, with the names of hosts and users',
      command: '<%= config.bin %> <%= command.id %> atom-report.txt --force --with hosts,users',
    },
    {description: 'To the terminal', command: '<%= config.bin %> <%= command.id %> - | less'},
  ];
  static override args = {
    file: Args.string({description: 'The file to write; - for stdout.', required: true, ignoreStdin: true}),
  };
  static override flags = {
    force: Flags.boolean({summary: 'Replace the file if it exists.'}),
    with: Flags.string({
      summary: 'Leave this kind of names as it is.',
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
    if (path === null && !this.flags.quiet) this.io.stderr.write(summary);
    await this.present(document, () => (path === null ? text : this.flags.quiet ? '' : summary));
    if (sections.some(({missing}) => missing !== null)) this.exitWith(EXIT.failed);
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
