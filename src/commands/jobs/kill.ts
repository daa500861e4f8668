import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, killRecords} from '../../cli/change/audit-log.ts';
import {jobsToKill, killFlags, killSources} from '../../cli/change/kill.ts';
import {confirm, requireAnswerer} from '../../cli/confirm.ts';
import {filterFlags} from '../../cli/flags/filter-flags.ts';
import {jobIdArg} from '../../cli/flags/shared-flags.ts';
import {interruptibly} from '../../cli/interrupt.ts';
import {killExitStatus, killJobs} from '../../jobs/kill/kill.ts';
import {renderKilled} from '../../render/jobs/changes.ts';
import {renderJobTable} from '../../render/jobs/table.ts';

export default class JobsKill extends BaseCommand<typeof JobsKill> {
  static override summary = 'End specific jobs and leave every other job and the history alone.';
  static override usage = '<%= command.id %> ID... [FLAGS]';
  static override description =
    `Takes the job out of Gearman first, so that it never runs again, then marks its row as an error with a note that
says who killed it, when and why; --delete removes the row instead. A job that is executing ends only with its
worker: --restart-worker. What cannot be told for certain is refused with the reason.

Exit status: 0 all killed (or no job matches the filters), 1 some, 2 usage error (nothing touched), 3 a server
unreachable, 4 no such job, 5 declined or refused, 130 interrupted.`;
  static override examples = [
    {
      description: 'End a job that is stuck',
      command: '<%= config.bin %> <%= command.id %> 500 --reason "stuck since Monday"',
    },
    {
      description: 'Mark every lost job as an error',
      command: '<%= config.bin %> <%= command.id %> --all-matching --live lost --yes',
    },
  ];
  static override args = {id: jobIdArg({multiple: true})};
  static override flags = {...filterFlags, ...killFlags, ...auditFlag};

  async run(): Promise<void> {
    const {flags, context} = this;
    const {stdin, stdout, stderr} = process;
    const assumeYes = flags.yes || flags['no-confirmation'];
    requireAnswerer({assumeYes, stdin, stdout});
    const jobs = await jobsToKill(context, {
      ids: this.args.id ?? [],
      flags,
      notice: (text) => this.notice(text),
    });
    if (!assumeYes && jobs.length > 0) {
      stderr.write(
        await renderJobTable(jobs, {
          columns: ['id', 'started', 'name', 'status', 'live', 'user'],
          screen: this.screen,
          liveUnknown: false,
        }),
      );
    }
    const verb = flags.delete ? 'kill and DELETE' : 'kill';
    const question = `Are you sure you want to ${verb} ${jobs.length === 1 ? `job ${jobs[0]!.id}` : `these ${jobs.length} jobs`}? (y/N)`;
    await confirm({question, assumeYes: assumeYes || jobs.length === 0, stdin, stdout, stderr});

    const sources = await killSources(context, flags);
    const ids = this.args.id ?? jobs.map(({id}) => id);
    const result = await this.change({
      attempt: {jobs: ids},
      work: () => interruptibly((signal) => killJobs({...sources, ids, signal})),
      changes: (done) => killRecords(done.killed, flags.reason),
    });
    if (result.workerProblem !== null) this.notice(`Warning: ${result.workerProblem.message}`);
    const {killed, workerRestarted} = result;
    await this.present({killed, workerRestarted}, () => renderKilled(killed, this.screen));
    this.exitWith(killExitStatus(result));
  }
}
