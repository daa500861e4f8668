import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, caller, killRecords} from '../../cli/change/audit-log.ts';
import {queueSources} from '../../cli/change/clear.ts';
import {confirm, requireAnswerer} from '../../cli/confirm.ts';
import {filterFlags, hasFilter, jobFilter} from '../../cli/flags/filter-flags.ts';
import {confirmationFlags, jobIdArg} from '../../cli/flags/shared-flags.ts';
import {interruptibly} from '../../cli/interrupt.ts';
import {liveSources, noticeMissing} from '../../cli/live.ts';
import {sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {AtomctlError, usageError} from '../../errors.ts';
import {type KillOptions, killExitStatus, killJobs} from '../../jobs/kill/kill.ts';
import {listLiveJobs} from '../../jobs/live/list-live.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import type {Job} from '../../jobs/model/job.ts';
import {noSuchJob} from '../../jobs/model/show.ts';
import {renderKilled} from '../../render/jobs/changes.ts';
import {renderJobTable} from '../../render/jobs/table.ts';

/** Which jobs to kill, and how. */
const killFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  'all-matching': Flags.boolean({summary: 'All running jobs that the filters match, instead of ids.'}),
  reason: Flags.string({summary: "Why, for the job's error note.", helpValue: 'TEXT'}),
  delete: Flags.boolean({
    summary: 'Remove the row and everything that depends on it, instead of marking it as an error.',
  }),
  force: Flags.boolean({
    summary: 'Change the row also if Gearman may still run the job, or if it has ended; say what remains.',
  }),
  'restart-worker': Flags.boolean({
    summary: "End an executing job: stop the site's workers, take the job out, start them again.",
  }),
};

export default class JobsKill extends BaseCommand<typeof JobsKill> {
  static override summary = 'End specific jobs and leave every other job and the history alone.';
  static override usage = '<%= command.id %> ID... [FLAGS]';
  static override description =
    `Takes the job out of Gearman first, so that it never runs again, then marks its row as an error with a note that
says who killed it, when and why; --delete removes the row instead. A job that is executing ends only with its
worker: --restart-worker. A job whose state cannot be proved is refused with the reason.

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
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'];
    requireAnswerer({...this.io, assumeYes});
    const jobs = await this.#wantedJobs();
    if (jobs.length > 0) {
      if (!assumeYes) this.io.stderr.write(await this.#table(jobs));
      const verb = flags.delete ? 'kill and DELETE' : 'kill';
      const which = jobs.length === 1 ? `job ${jobs[0]!.id}` : `these ${jobs.length} jobs`;
      await confirm({...this.io, question: `Are you sure you want to ${verb} ${which}? (y/N)`, assumeYes});
    }
    const ids = this.args.id ?? jobs.map(({id}) => id);
    const options = await this.#options();
    const result = await this.change({
      attempt: {jobs: ids},
      work: () => interruptibly((signal) => killJobs({...options, ids, signal})),
      changes: (done) => killRecords(done.killed, flags.reason),
    });
    if (result.workerProblem !== null) this.notice(`Warning: ${result.workerProblem.message}`);
    const {killed, workerRestarted} = result;
    await this.present({killed, workerRestarted}, () => renderKilled(killed, this.screen));
    this.exitWith(killExitStatus(result));
  }

  /** The jobs that the command line names, with their live states; none if no job matches the filters. */
  async #wantedJobs(): Promise<Job[]> {
    const {context, flags} = this;
    const filter = await this.#filter();
    const notice = (text: string) => this.notice(text);
    const [database, time] = await Promise.all([context.database(), context.time()]);
    const page = {sort: {key: 'id', descending: false}, limit: null, offset: 0, live: true} as const;
    const {jobs, report} = await listLiveJobs({database, time, now: context.now(), filter, ...page}, () =>
      liveSources(context, {notice}),
    );
    if (report !== null) noticeMissing(report, notice);
    if (jobs.length > 0 || flags['all-matching']) return jobs;
    const [id, ...others] = this.args.id ?? [];
    if (id !== undefined && others.length === 0) throw noSuchJob(id);
    throw new AtomctlError('NO_SUCH_JOB', 'There is no such job.', {
      hint: 'See the ids with: atomctl jobs:list',
    });
  }

  /** Filters mean running jobs, unless they name a status: an ended job is killed by its id, with --delete or --force. */
  async #filter(): Promise<JobFilter> {
    const {context, flags} = this;
    const {id: ids = []} = this.args;
    if (!flags['all-matching']) {
      if (hasFilter(flags))
        throw usageError(
          'Filters choose jobs to kill only with --all-matching.',
          'Add it, or give ids alone.',
        );
      if (ids.length === 0)
        throw usageError(
          'No job was named.',
          'Give the ids of the jobs to kill, or --all-matching with filters.',
        );
      return {ids: [...ids]};
    }
    if (ids.length > 0)
      throw usageError(
        'Ids and --all-matching exclude each other.',
        'Give one of them; --id narrows a filter.',
      );
    if (!hasFilter(flags))
      throw usageError('--all-matching needs a filter.', 'For all running jobs, give --running.');
    const filter = await jobFilter(flags, () => context.time(), context.now());
    return {...filter, statuses: filter.statuses ?? ['running']};
  }

  #table(jobs: readonly Job[]): Promise<string> {
    const columns = ['id', 'started', 'name', 'status', 'live', 'user'] as const;
    return renderJobTable(jobs, {columns, screen: this.screen, liveUnknown: false});
  }

  /** What killJobs needs beside the ids. */
  async #options(): Promise<Omit<KillOptions, 'ids' | 'signal'>> {
    const {context, flags} = this;
    const [queue, database] = await Promise.all([queueSources(context), context.database()]);
    return {
      ...queue,
      database,
      deleteRows: flags.delete,
      force: flags.force,
      reason: flags.reason ?? null,
      by: caller(),
      culture: 'en',
      wait: async (milliseconds, signal) => {
        this.notice('Checking again in ten seconds, to be sure.');
        await sleep(milliseconds, undefined, {signal}).catch(() => {});
      },
      worker: flags['restart-worker']
        ? await (await import('../../cli/worker/worker-control.ts')).workerControl(context, flags)
        : null,
    };
  }
}
