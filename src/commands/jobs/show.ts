import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {jobIdArg} from '../../cli/flags.ts';
import {liveSources, noticeMissing} from '../../cli/live.ts';
import {showLiveJob} from '../../jobs/live-show.ts';
import {renderJobDetails} from '../../render/job-details.ts';

export default class JobsShow extends BaseCommand<typeof JobsShow> {
  static override summary = 'Show one job: overview, notes, errors, the whole log.';
  static override usage = '<%= command.id %> ID [FLAGS]';
  static override description =
    `The job details page of AtoM, and for a running job its live state and its last sign of life.

Exit status: 0 shown, 2 usage error, 3 database unreachable, 4 no such job.`;
  static override examples = [
    {description: 'Everything about a job', command: '<%= config.bin %> <%= command.id %> 500'},
    {description: 'Only its log', command: '<%= config.bin %> <%= command.id %> 500 --json | jq -r .log'},
  ];
  static override args = {
    id: jobIdArg({required: true}),
  };
  static override flags = {
    'no-live': Flags.boolean({summary: 'Do not ask Gearman for the live state.'}),
  };

  async run(): Promise<void> {
    const [database, time] = await Promise.all([this.context.database(), this.context.time()]);
    const {job, report} = await showLiveJob(
      {database, time, now: this.context.now(), id: this.args.id, live: !this.flags['no-live']},
      () => liveSources(this.context, {notice: (text) => this.notice(text)}),
    );
    if (report !== null) noticeMissing(report, (text) => this.notice(text));
    await this.present(job, () => renderJobDetails(job, this.screen));
  }
}
