import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, caller, retryRecords} from '../../cli/change/audit-log.ts';
import {queueSources} from '../../cli/change/clear.ts';
import {chosenJobs} from '../../cli/change/matching-jobs.ts';
import {plannedStatus} from '../../cli/change/planned-status.ts';
import {filterFlags} from '../../cli/flags/filter-flags.ts';
import {confirmationFlags, jobIdArg} from '../../cli/flags/shared-flags.ts';
import {waitOnJobs} from '../../cli/polling/wait.ts';
import {unlessDryRun} from '../../cli/read-only.ts';
import {requireAnswerer} from '../../cli/terminal/confirm.ts';
import {ENDS_SOON, interruptibly} from '../../cli/terminal/interrupt.ts';
import {writeSentences} from '../../cli/terminal/io.ts';
import {waitAloud} from '../../cli/terminal/wait-aloud.ts';
import {EXIT} from '../../errors.ts';
import {hostCommands} from '../../host-commands.ts';
import type {JobFilter} from '../../jobs/model/filter.ts';
import {noSuchJobs} from '../../jobs/model/show.ts';
import {planRetry, type RetryOptions, type RetryTarget} from '../../jobs/retry/plan.ts';
import {
  previewRetry,
  type Retried,
  type RetryResult,
  retryExitStatus,
  retryJobs,
} from '../../jobs/retry/retry.ts';
import {waitExitStatus} from '../../jobs/wait/wait.ts';
import {renderWaited} from '../../render/jobs/details.ts';
import {renderRetried, renderRetryPlan, retryDocument} from '../../render/jobs/retried.ts';

export default class JobsRetry extends BaseCommand<typeof JobsRetry> {
  static override changes = unlessDryRun;
  static override summary = 'Run a failed, killed or lost job again.';
  static override usage = '<%= command.id %> ID... [FLAGS]';
  static override description =
    `Makes a new job with the user, the object and the parameters of the old one, and submits it to Gearman as AtoM does. Both jobs get a note that names the other; the row of a lost job is marked as an error. The parameters are those that AtoM's worker logged (AtoM 2.7 and later).

Before it asks, it says for each job what a second run does. If the second run would do work twice, as an import does, --force is required. A job is refused if it may still run, or if its parameters, its object, a file or a worker is missing.

Exit status: 0 all submitted (or no job matches the filters), 1 only some, 2 usage error (nothing changed), 3 a server unreachable, 4 no such job, 5 declined or refused, 130 interrupted. --dry-run has the status of its plan; the real run can still refuse a job. With --wait, if all were submitted, the exit status of jobs:wait.`;
  static override examples = [
    {description: 'Run a failed job again', command: '<%= config.bin %> <%= command.id %> 500'},
    {
      description: 'Run all jobs again that failed since a date, and wait for their end',
      command: '<%= config.bin %> <%= command.id %> --all-matching --failed --since 2026-11-23 --wait',
    },
    {
      description: 'Show what would happen to an import',
      command: '<%= config.bin %> <%= command.id %> 501 --force --dry-run',
    },
  ];
  static override args = {id: jobIdArg({multiple: true})};
  static override flags = {
    ...filterFlags,
    ...confirmationFlags,
    'all-matching': Flags.boolean({
      summary:
        'All failed jobs that the filters match, instead of ids; with --status or --live, jobs with that status or state.',
    }),
    reason: Flags.string({summary: 'The reason, for the notes of both jobs.', helpValue: 'TEXT'}),
    force: Flags.boolean({
      summary: 'Also run the job again if its work would be done twice, or if its user was deleted.',
    }),
    'dry-run': Flags.boolean({summary: 'Show what would be done with each job, and change nothing.'}),
    wait: Flags.boolean({summary: 'Wait until the new jobs end, like jobs:wait.'}),
    ...auditFlag,
  };

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const options = await this.#options();
    const targets = await planRetry(options);
    this.#requireJobs(options, targets);
    const planned = previewRetry(options.ids, targets);
    const wanted = planned.filter(({action}) => action === 'submitted');
    if (flags['dry-run'] || wanted.length === 0) {
      await this.#presentPlan(planned, targets);
      return this.exitWith(plannedStatus(planned));
    }
    if (!assumeYes) this.tell(this.#planText(planned, targets));
    await this.confirm({question: questionOf(wanted), assumeYes});
    const result = await this.change({
      attempt: {jobs: options.ids},
      work: () =>
        interruptibly(
          (signal) => retryJobs({...options, signal}, targets),
          () => this.notice(ENDS_SOON),
        ),
      changes: ({retried}) => retryRecords(retried, flags.reason),
    });
    if (flags.wait) await this.#presentWaited(result);
    else await this.#presentResult(result);
  }

  async #presentResult(result: RetryResult): Promise<void> {
    const {retried} = result;
    await this.presentSentences(retryDocument(retried, false), () => renderRetried(retried, this.screen));
    this.exitWith(retryExitStatus(result));
  }

  /** What was submitted is said before the wait: on stdout, or with --json on stderr. */
  async #presentWaited(result: RetryResult): Promise<void> {
    const {retried} = result;
    const ids = retried.flatMap(({action, newId}) =>
      action === 'submitted' && newId !== null ? [newId] : [],
    );
    const status = retryExitStatus(result);
    if (ids.length === 0 || status === EXIT.interrupted) return this.#presentResult(result);
    const text = renderRetried(retried, this.screen);
    if (this.jsonEnabled()) this.notice(text.trimEnd());
    else writeSentences(this.io.stdout, text);
    const waited = await waitOnJobs(this.context, {
      ...{ids, until: 'finished', intervalSeconds: 1, maxSeconds: null},
      quiet: this.flags.quiet,
      stderr: this.io.stderr,
      notice: (notice) => this.notice(notice),
    });
    const {jobs, deleted} = waited;
    await this.presentSentences({...retryDocument(retried, false), jobs, deleted}, () =>
      renderWaited(waited, this.screen),
    );
    this.exitWith(status === EXIT.ok ? waitExitStatus(waited) : status);
  }

  #presentPlan(planned: Retried[], targets: ReadonlyMap<number, RetryTarget>): Promise<void> {
    const dryRun = this.flags['dry-run'];
    return this.presentSentences(retryDocument(planned, dryRun), () =>
      dryRun ? this.#planText(planned, targets) : renderRetried(planned, this.screen),
    );
  }

  #planText(planned: readonly Retried[], targets: ReadonlyMap<number, RetryTarget>): string {
    const jobs = new Map([...targets].map(([id, {job}]) => [id, job]));
    return renderRetryPlan(planned, jobs, this.screen);
  }

  /** @throws AtomctlError NO_SUCH_JOB if ids were given and no row has one of them */
  #requireJobs({ids}: RetryOptions, targets: ReadonlyMap<number, RetryTarget>): void {
    if (targets.size > 0 || this.flags['all-matching']) return;
    throw noSuchJobs(ids);
  }

  /** What retryJobs needs; nothing interrupts the plan. */
  async #options(): Promise<RetryOptions> {
    const {context, flags} = this;
    const {'all-matching': allMatching} = flags;
    const choice = {ids: this.args.id ?? [], allMatching, flags, verb: 'retry', example: EXAMPLE, meant};
    const {ids, matched} = await chosenJobs(context, choice, (text) => this.notice(text));
    const [queue, database, site] = await Promise.all([
      queueSources(context),
      context.database(),
      context.site(),
    ]);
    return {
      ...queue,
      database,
      ids,
      matched,
      root: (await site.root()).value,
      reason: flags.reason ?? null,
      force: flags.force,
      onceMore: !allMatching,
      by: caller(),
      culture: 'en',
      commands: hostCommands(),
      signal: new AbortController().signal,
      recheck: {firstSeen: new Map(), wait: waitAloud((text) => this.notice(text))},
    };
  }
}

const EXAMPLE = 'Example: --since today';

/** Filters mean failed jobs, unless they name a status or a live state. */
function meant(filter: JobFilter): JobFilter {
  const named = filter.statuses !== undefined || (filter.live?.length ?? 0) > 0;
  return named ? filter : {...filter, statuses: ['error']};
}

function questionOf(wanted: readonly Retried[]): string {
  const which = wanted.length === 1 ? `job ${wanted[0]!.id}` : `these ${wanted.length} jobs`;
  return `Are you sure you want to run ${which} again? (y/N)`;
}
