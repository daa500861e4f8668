import {Flags} from '@oclif/core';
import {parseWhen} from '../../atom/when.ts';
import {BaseCommand} from '../../cli/base-command.ts';
import {wholeNumber} from '../../cli/flags/shared-flags.ts';
import {interruptibly} from '../../cli/terminal/interrupt.ts';
import {findWorker, unitFlags} from '../../cli/worker/unit-flags.ts';
import {sanitizeJson} from '../../render/sanitize.ts';
import {logEntryDocument, renderJournalEntry} from '../../render/worker.ts';
import {workerLog} from '../../worker/executing.ts';

const DEFAULT_LINES = 50;

export default class WorkerLogs extends BaseCommand<typeof WorkerLogs> {
  static override changes = false;
  static override summary = "Show the journal of the worker's units.";
  static override description =
    `Shows what the worker printed and what systemd reports about it, oldest first. A worker also prints the log lines of each job; --job shows the lines of one job. With --follow and --json, each entry is one JSON document on one line.

Exit status: 0 shown, 1 the journal may not be read, 2 usage error, 3 no systemd on this machine.`;
  static override examples = [
    {
      description: 'Follow the journal',
      command: '<%= config.bin %> <%= command.id %> --follow',
    },
    {
      description: 'Show the lines of one job',
      command: '<%= config.bin %> <%= command.id %> --job 500 --since 2026-11-23',
    },
    {
      description: 'Show the last 200 entries',
      command: '<%= config.bin %> <%= command.id %> --lines 200',
    },
  ];
  static override flags = {
    ...unitFlags,
    follow: Flags.boolean({char: 'f', summary: 'Follow: print new entries as they are written.'}),
    since: Flags.string({
      summary:
        "Show entries from this time on, in the site's timezone: 2026-11-23, 2026-11-23T14:30, today, 2h.",
      helpValue: 'WHEN',
    }),
    lines: Flags.custom<number>({
      char: 'n',
      summary: `Show the newest N entries; the default is ${DEFAULT_LINES}, with --since or --job all.`,
      helpValue: 'N',
      parse: wholeNumber(1, 'number of lines'),
    })(),
    job: Flags.custom<number>({
      summary: 'Show only the lines of this job.',
      helpValue: 'ID',
      parse: wholeNumber(1, 'job id'),
    })(),
  };

  async run(): Promise<void> {
    const {follow, since, lines, job: jobId} = this.flags;
    const [{manager, units}, time] = await Promise.all([
      findWorker(this.context, this.flags),
      this.context.time(),
    ]);
    const when = {origin: '--since', time, now: this.context.now()};
    const from = since === undefined ? undefined : new Date(parseWhen(since, when).ms);
    const newest = lines ?? (from === undefined && jobId === undefined ? DEFAULT_LINES : undefined);
    await interruptibly(async (signal) => {
      const entries = workerLog({
        scope: manager.scope,
        units: units.map(({name}) => name),
        since: from,
        lines: newest,
        jobId,
        follow,
        signal,
      });
      const whole: object[] = [];
      for await (const entry of entries) {
        const document = logEntryDocument(entry, time);
        if (!this.jsonEnabled()) this.io.stdout.write(renderJournalEntry(entry, time, units.length > 1));
        else if (follow) this.io.stdout.write(`${sanitizeJson(JSON.stringify(document))}\n`);
        else whole.push(document);
      }
      if (this.jsonEnabled() && !follow) await this.present({entries: whole}, () => '');
    });
  }
}
