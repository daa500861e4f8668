import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {jobIdArg, secondsFrom} from '../../cli/flags/shared-flags.ts';
import {waitOnJobs} from '../../cli/polling/wait.ts';
import {EXIT} from '../../errors.ts';
import {isLost} from '../../jobs/wait/poll.ts';
import {isEnded, MILESTONES, waitExitStatus} from '../../jobs/wait/wait.ts';
import {renderWaited} from '../../render/jobs/details.ts';

export default class JobsWait extends BaseCommand<typeof JobsWait> {
  static override changes = false;
  static override summary = 'Wait until jobs end; the exit status says how they ended.';
  static override usage = '<%= command.id %> ID... [FLAGS]';
  static override description =
    `Waits until all of the jobs have ended, then prints how each ended. If a job is proved lost, the wait ends at once. If the database restarts, atomctl tries for a minute to connect again.

With --json, "deleted" lists the jobs whose rows were deleted during the wait; "jobs" has all others as last seen.

Exit status: 0 all completed (with --until started: all started), 1 one failed, is lost or was deleted, 2 usage error, 3 database unreachable, 4 no such job, 124 timed out, 130 interrupted.`;
  static override examples = [
    {
      description: 'Continue only if an import completes within an hour',
      command: '<%= config.bin %> <%= command.id %> 500 --max-wait 3600 && echo imported',
    },
    {
      description: 'Check that a worker starts the job',
      command: '<%= config.bin %> <%= command.id %> 500 --until started --max-wait 30',
    },
    {
      description: 'Send mail when an import has ended',
      command: '<%= config.bin %> <%= command.id %> 500 | mail -s "Import 500 has ended" root',
    },
  ];
  static override args = {id: jobIdArg({multiple: true, required: true})};
  static override flags = {
    until: Flags.option({
      summary: 'Wait until the jobs have ended, or only until they have started.',
      options: MILESTONES,
      default: 'finished' as const,
    })(),
    'max-wait': Flags.custom<number>({
      summary: 'Give up after this many seconds, with exit status 124.',
      helpValue: 'SECONDS',
      parse: secondsFrom(0),
    })(),
    interval: Flags.custom<number>({
      summary: 'Seconds between checks.',
      helpValue: 'SECONDS',
      default: 1,
      parse: secondsFrom(0.1),
    })(),
  };

  async run(): Promise<void> {
    const {flags} = this;
    const notice = (text: string) => this.notice(text);
    const waited = await waitOnJobs(this.context, {
      ids: this.args.id,
      until: flags.until,
      intervalSeconds: flags.interval,
      maxSeconds: flags['max-wait'] ?? null,
      quiet: flags.quiet,
      stderr: this.io.stderr,
      notice,
    });
    const {jobs, deleted, timeOver} = waited;
    const exitStatus = waitExitStatus(waited);
    const isSilent = flags.quiet && exitStatus === EXIT.ok;
    await this.presentSentences({jobs, timeOver, deleted}, () =>
      isSilent ? '' : renderWaited(waited, this.screen),
    );
    const open = jobs.filter((job) => !isEnded(job)).map(({id}) => id);
    if (timeOver) notice(`Timed out; still unfinished: ${open.join(' ')}`);
    for (const {id} of jobs.filter(isLost))
      notice(`To mark the lost job as an error: atomctl jobs:kill ${id}`);
    this.exitWith(exitStatus);
  }
}
