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
  static override summary = 'Block until jobs end; the exit status tells how.';
  static override usage = '<%= command.id %> ID... [FLAGS]';
  static override description =
    `Waits until every one of the jobs has ended, then prints how. A job that is proved lost ends the wait at once. A database that restarts meanwhile is given a minute to come back.

With --json, "deleted" lists the jobs whose rows were deleted meanwhile; "jobs" holds all others as last seen.

Exit status: 0 all completed (or started), 1 one failed, is lost or was deleted, 2 usage error, 3 database unreachable, 4 no such job, 124 timed out, 130 interrupted.`;
  static override examples = [
    {
      description: 'Go on only after an import has completed, within an hour',
      command: '<%= config.bin %> <%= command.id %> 500 --max-wait 3600 && echo imported',
    },
    {
      description: 'Does a worker take the job at all?',
      command: '<%= config.bin %> <%= command.id %> 500 --until started --max-wait 30',
    },
    {
      description: 'Be told by mail when an import has ended',
      command: '<%= config.bin %> <%= command.id %> 500 | mail -s "Import 500 has ended" root',
    },
  ];
  static override args = {id: jobIdArg({multiple: true, required: true})};
  static override flags = {
    until: Flags.option({
      summary: 'Wait until the jobs have finished, or only until they have started.',
      options: MILESTONES,
      default: 'finished' as const,
    })(),
    'max-wait': Flags.custom<number>({
      summary: 'Give up after so long, with exit status 124.',
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
    const open = jobs.filter((job) => !isEnded(job)).map(({id}) => id);
    if (timeOver) notice(`Timed out; still unfinished: ${open.join(' ')}`);
    for (const {id} of jobs.filter(isLost)) notice(`End the lost job with: atomctl jobs:kill ${id}`);
    const exitStatus = waitExitStatus(waited);
    const isSilent = flags.quiet && exitStatus === EXIT.ok;
    await this.present({jobs, timeOver, deleted}, () => (isSilent ? '' : renderWaited(waited, this.screen)));
    this.exitWith(exitStatus);
  }
}
