import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {jobIdArg} from '../../cli/flags/shared-flags.ts';
import {withFlag} from '../../cli/read-only.ts';
import {noticeMissing} from '../../cli/site/live.ts';
import {explain} from '../../cli/site/why.ts';
import {renderWhy} from '../../render/jobs/why.ts';

export default class JobsWhy extends BaseCommand<typeof JobsWhy> {
  /** A probe takes waiting jobs and gives them back: gearmand counts a retry of each. */
  static override changes = withFlag('probe');
  static override summary =
    "Explain a job's state: its proof, what it waits for, who executes it, what to do.";
  static override usage = '<%= command.id %> ID [FLAGS]';
  static override description =
    `For a waiting job: its place in the queue, the workers that can do it and what they execute, the older move or import that goes first. For an executing job: its worker, the process with its children (CPU, disk, memory) and the query that its session executes. For both: the last line of the log, progress if log or notes say "N of M", how long jobs of its name take, and one piece of advice.

The place counts the jobs of its class on its Gearman server; a worker that does several classes may take jobs of another class before. Gearman shows the order only to a worker: --probe reads it, as in jobs:list. Processes are read on this host only. Passwords in command lines and queries are masked; queries may show other data of the site.

Exit status: 0 explained, 2 usage error, 3 database unreachable, 4 no such job, 130 interrupted while it probed.`;
  static override examples = [
    {description: 'Why does this job not move?', command: '<%= config.bin %> <%= command.id %> 500'},
    {
      description: 'Which jobs are before it in the queue?',
      command: '<%= config.bin %> <%= command.id %> 500 --probe',
    },
    {
      description: 'The query that it executes now',
      command: `<%= config.bin %> <%= command.id %> 500 --json | jq '.process.query'`,
    },
  ];
  static override args = {id: jobIdArg({required: true})};
  static override flags = {
    probe: Flags.boolean({
      summary:
        'Read the payloads of the waiting jobs of its class and give them back in order, to see its place.',
    }),
  };

  async run(): Promise<void> {
    const notice = (text: string) => this.notice(text);
    const {why, report} = await explain(this.context, {id: this.args.id, probe: this.flags.probe, notice});
    if (report !== null) noticeMissing(report, notice);
    await this.present(why, () => renderWhy(why, this.screen, this.context.now().getTime()));
  }
}
