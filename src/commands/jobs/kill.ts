import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, caller, killRecords} from '../../cli/change/audit-log.ts';
import {queueSources} from '../../cli/change/clear.ts';
import {type ChosenJobs, chosenJobs} from '../../cli/change/matching-jobs.ts';
import {plannedStatus} from '../../cli/change/planned-status.ts';
import {filterFlags} from '../../cli/flags/filter-flags.ts';
import {confirmationFlags, jobIdArg} from '../../cli/flags/shared-flags.ts';
import {unlessDryRun} from '../../cli/read-only.ts';
import {requireAnswerer} from '../../cli/terminal/confirm.ts';
import {ENDS_SOON, interruptibly} from '../../cli/terminal/interrupt.ts';
import {waitAloud} from '../../cli/terminal/wait-aloud.ts';
import {sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import type {AtomctlError} from '../../errors.ts';
import {
  type Killed,
  type KillOptions,
  type KillPlan,
  killExitStatus,
  killJobs,
} from '../../jobs/kill/kill.ts';
import {planKill} from '../../jobs/kill/plan.ts';
import {mustProbe, previewKill} from '../../jobs/kill/preview.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import {noSuchJobs} from '../../jobs/model/show.ts';
import {killDocument, renderKilled, renderKillPlan} from '../../render/jobs/changes.ts';

/** Which jobs to kill, and how. */
const killFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  'all-matching': Flags.boolean({summary: 'All running jobs that the filters match, instead of ids.'}),
  reason: Flags.string({summary: 'The reason, for the error note of the job.', helpValue: 'TEXT'}),
  delete: Flags.boolean({
    summary: 'Delete the row and everything that depends on it, instead of marking it as an error.',
  }),
  force: Flags.boolean({
    summary:
      'Also change the row if Gearman may still run the job, or if the job has ended; atomctl then says what remains.',
  }),
  'dry-run': Flags.boolean({summary: 'Show what would be done with each job, and change nothing.'}),
  'restart-worker': Flags.boolean({
    summary: 'End an executing job: stop its worker, remove the job from Gearman, start the worker again.',
  }),
  'interrupt-others': Flags.boolean({
    summary: 'Allow that other jobs of a stopped worker start again from the beginning.',
    dependsOn: ['restart-worker'],
  }),
};

export default class JobsKill extends BaseCommand<typeof JobsKill> {
  static override changes = unlessDryRun;
  static override summary = 'End specific jobs, without changing other jobs or the history.';
  static override usage = '<%= command.id %> ID...|--all-matching [FLAGS]';
  static override description =
    `First removes the job from Gearman, so that it never runs again, then marks its row as an error with a note that
says who killed it, when and why; --delete deletes the row instead. An executing job ends only with its
worker: --restart-worker. If a job's state is not proved, it is looked for among the waiting jobs; what is still
not proved is refused with the reason.

Exit status: 0 all killed (or no job matches the filters), 1 only some, 2 usage error (nothing
changed), 3 a server unreachable, or no systemd for --restart-worker, 4 no such job, 5 declined or refused, 130 interrupted.
--dry-run has the status of its plan; the real run can still refuse a job.`;
  static override examples = [
    {
      description: 'End a job that is stuck',
      command: '<%= config.bin %> <%= command.id %> 500 --reason "stuck since Monday"',
    },
    {
      description: 'Mark every lost job as an error',
      command: '<%= config.bin %> <%= command.id %> --all-matching --live lost --yes',
    },
    {
      description: 'End an executing import with its worker, which starts again',
      command: '<%= config.bin %> <%= command.id %> 500 --restart-worker',
    },
  ];
  static override args = {id: jobIdArg({multiple: true})};
  static override flags = {...filterFlags, ...killFlags, ...auditFlag};

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const options = await this.#options(await this.#chosen());
    const plan = await planKill(options);
    this.#requireJobs(options.ids, plan);
    const interrupts = plan.workers?.interrupts ?? [];
    const planned = previewKill(options, plan);
    const nothing = planned.every(({action}) => action === 'refused');
    if (flags['dry-run'] || nothing) {
      await this.#presentPlan(planned, plan);
      return this.exitWith(plannedStatus(planned));
    }
    if (!assumeYes) this.tell(this.#planText(planned, plan));
    await this.confirm({question: questionOf(planned), assumeYes});
    // Who answers the question has read which jobs are interrupted.
    const agreed = assumeYes ? options.mayInterrupt : new Set(interrupts.map(({id}) => id));

    const result = await this.change({
      attempt: {jobs: options.ids},
      work: () =>
        interruptibly(
          (signal) => killJobs({...options, mayInterrupt: agreed, signal}, plan),
          () => this.notice(ENDS_SOON),
        ),
      changes: (done) => killRecords(done, flags.reason),
    });
    if (result.workerProblem !== null) this.#warn(result.workerProblem);
    const {killed} = result;
    await this.presentSentences(killDocument(killed, result, false), () => renderKilled(killed, this.screen));
    this.exitWith(killExitStatus(result));
  }

  #warn({message, hint}: AtomctlError): void {
    this.notice(`Warning: ${[message, hint].filter(Boolean).join(' ')}`);
  }

  #presentPlan(planned: Killed[], plan: KillPlan): Promise<void> {
    const nothingDone = {
      workerRestarted: false,
      interrupted: (plan.workers?.interrupts ?? []).map(({id}) => id),
    };
    return this.presentSentences(killDocument(planned, nothingDone, this.flags['dry-run']), () =>
      this.flags['dry-run'] ? this.#planText(planned, plan) : renderKilled(planned, this.screen),
    );
  }

  #planText(planned: Killed[], plan: KillPlan): string {
    const {targets, workers} = plan;
    const jobs = new Map(
      [...targets].map(([id, {job, verdict}]) => [id, {...job, likely: verdict?.likely ?? null}]),
    );
    const interrupts = workers?.interrupts ?? [];
    return renderKillPlan(planned, {jobs, interrupts, probes: mustProbe(plan)}, this.screen);
  }

  /** @throws AtomctlError NO_SUCH_JOB if ids were given and no row has one of them */
  #requireJobs(ids: readonly number[], {targets}: KillPlan): void {
    if (targets.size > 0 || this.flags['all-matching']) return;
    throw noSuchJobs(ids);
  }

  /** The jobs that the command line names; none if no job matches the filters. */
  #chosen(): Promise<ChosenJobs> {
    const {flags} = this;
    const {id: ids = []} = this.args;
    const choice = {ids, allMatching: flags['all-matching'], flags, verb: 'kill', example: EXAMPLE, meant};
    return chosenJobs(this.context, choice, (text) => this.notice(text));
  }

  /** What killJobs needs; nothing interrupts the plan. */
  async #options({ids, matched}: ChosenJobs): Promise<KillOptions> {
    const {context, flags} = this;
    const [queue, database] = await Promise.all([queueSources(context), context.database()]);
    const {workerControl, isWithoutSystemd} = await import('../../cli/worker/worker-control.ts');
    const restarts = flags['restart-worker'];
    return {
      ...queue,
      database,
      ids,
      matched,
      signal: new AbortController().signal,
      firstSeen: new Map(),
      mayInterrupt: flags['interrupt-others'] ? 'all' : new Set(),
      deleteRows: flags.delete,
      force: flags.force,
      reason: flags.reason ?? null,
      by: caller(),
      culture: 'en',
      wait: waitAloud((text) => this.notice(text)),
      worker: restarts ? await workerControl(context, flags, `atomctl jobs:kill ${ids.join(' ')}`) : null,
      noSystemd: !restarts && (await isWithoutSystemd(context, flags)),
    };
  }
}

const EXAMPLE = 'For all running jobs, give --running.';

/** Filters mean running jobs, unless they name a status: an ended job is killed by its id, with --delete or --force. */
function meant(filter: JobFilter): JobFilter {
  return {...filter, statuses: filter.statuses ?? ['running']};
}

function questionOf(planned: readonly Killed[]): string {
  const jobs = planned.filter(({action}) => action !== 'refused');
  const verb = jobs.some(({action}) => action === 'deleted') ? 'kill and DELETE' : 'kill';
  const which = jobs.length === 1 ? `job ${jobs[0]!.id}` : `these ${jobs.length} jobs`;
  return `Are you sure you want to ${verb} ${which}? (y/N)`;
}
