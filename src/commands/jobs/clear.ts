import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, clearRecords} from '../../cli/change/audit-log.ts';
import {clearOptions, exportBefore} from '../../cli/change/clear.ts';
import {parseReplica} from '../../cli/change/replicas.ts';
import {confirm, requireAnswerer} from '../../cli/confirm.ts';
import {filterFlags, hasFilter, jobFilter} from '../../cli/flags/filter-flags.ts';
import {confirmationFlags, secondsFrom, wholeNumber} from '../../cli/flags/shared-flags.ts';
import {interruptibly} from '../../cli/interrupt.ts';
import {liveReport} from '../../cli/live.ts';
import {startProgress} from '../../cli/progress.ts';
import {sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {EXIT} from '../../errors.ts';
import {clearSite, type SiteCleared} from '../../jobs/clear/clear.ts';
import {type ClearPlan, planClear} from '../../jobs/clear/clear-rows.ts';
import {settleLiveFilter} from '../../jobs/live/list-live.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import {clearDocument, renderCleared, renderClearPlan} from '../../render/jobs/changes.ts';

/** What to clear, and how. */
const clearFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  inactive: Flags.boolean({summary: 'Only jobs that have ended (AtoM\'s "Clear inactive jobs").'}),
  'dry-run': Flags.boolean({summary: 'Say what would go and change nothing.'}),
  export: Flags.string({
    summary: 'Save the history of these jobs as CSV first; no export, no clearing.',
    helpValue: 'FILE',
  }),
  force: Flags.boolean({summary: 'Replace the file of --export if it exists.', dependsOn: ['export']}),
  'delete-downloads': Flags.boolean({summary: "Delete the jobs' files under the site's downloads too."}),
  'keep-queue': Flags.boolean({summary: 'Leave Gearman alone.', exclusive: ['restart-worker']}),
  'restart-worker': Flags.boolean({
    summary: "End executing jobs too: stop the site's workers first and start them again.",
  }),
};

/** How much a large deletion may disturb the web site and the replicas. */
const paceFlags = {
  'batch-size': Flags.custom<number>({
    summary: 'Jobs in one transaction; found out while clearing otherwise.',
    helpValue: 'N',
    parse: wholeNumber(1, 'number of jobs'),
  })(),
  'max-lag': Flags.custom<number>({
    summary: 'Wait between transactions while a replica of the database is further behind than this.',
    helpValue: 'SECONDS',
    parse: secondsFrom(0),
  })(),
  replica: Flags.custom<ReplicaAddress>({
    summary:
      'A replica to wait for, with the user and password of the database; repeatable. Those that the server names otherwise.',
    helpValue: 'HOST[:PORT]',
    dependsOn: ['max-lag'],
    multiple: true,
    multipleNonGreedy: true,
    parse: async (text) => parseReplica(text),
  })(),
  pause: Flags.custom<number>({
    summary: 'Wait this long between transactions, so that the web site gets its turn.',
    helpValue: 'SECONDS',
    default: 0,
    parse: secondsFrom(0),
  })(),
};

export default class JobsClear extends BaseCommand<typeof JobsClear> {
  static override summary =
    "Delete jobs and their history, and this site's queued Gearman jobs, after confirmation.";
  static override description =
    `Shows what will go, by status, and asks. Deletes in short transactions; interrupted, it stops after the current one and says how many are gone. Jobs that start after the question stay.

Exit status: 0 cleared, 1 failed on the way, 2 usage error (nothing touched), 3 database unreachable, 5 declined or another run holds the site's lock, 130 interrupted.`;
  static override examples = [
    {
      description: 'What would go, if finished jobs older than 90 days went?',
      command: '<%= config.bin %> <%= command.id %> --inactive --older-than 90d --dry-run',
    },
    {
      description: 'Let them go, their history kept in a file',
      command: '<%= config.bin %> <%= command.id %> --inactive --older-than 90d --export old-jobs.csv --yes',
    },
  ];
  static override flags = {...filterFlags, ...clearFlags, ...paceFlags, ...auditFlag};

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const plan = await this.#plan();
    if (flags['dry-run']) {
      await this.present(clearDocument({plan, dryRun: true}), () => renderClearPlan(plan, this.screen));
      return;
    }
    if (!assumeYes) this.io.stderr.write(renderClearPlan(plan, this.screen));
    const question = `Are you SURE you want to clear all ${plan.total} jobs? (y/N)`;
    await confirm({...this.io, question, assumeYes});

    const {exported, cleared} = await this.change({
      attempt: {filter: plan.filter, jobs: plan.total},
      work: () => this.#clear(plan),
      changes: (done) => clearRecords(plan, done.cleared, done.exported),
    });

    for (const problem of cleared.problems) this.notice(`Warning: ${problem}`);
    await this.present(clearDocument({plan, cleared, exported, dryRun: false}), () =>
      renderCleared(cleared, exported, this.screen),
    );
    if (cleared.interrupted) this.exitWith(EXIT.interrupted);
    else if (cleared.failure !== null) this.exitWith(cleared.failure.exitStatus);
  }

  /** The jobs that match, before anything is changed. */
  async #plan(): Promise<ClearPlan> {
    const {flags, context} = this;
    const wanted = await jobFilter(flags, () => context.time(), context.now());
    const database = await context.database();
    const filter = await settleLiveFilter(wanted, () => liveReport(context, (text) => this.notice(text)));
    return planClear({database, filter, inactive: flags.inactive});
  }

  /** Exports the history if wanted, then deletes, with a progress bar. */
  #clear(plan: ClearPlan): Promise<{exported: string | null; cleared: SiteCleared}> {
    const {flags, context, io} = this;
    return interruptibly(async (signal) => {
      const {filter, total} = plan;
      const exported = await exportBefore(context, {
        path: flags.export ?? null,
        force: flags.force,
        filter,
        signal,
      });
      const options = await clearOptions(context, {
        unit: flags,
        everything: !hasFilter(flags) && !flags.inactive,
        keepQueue: flags['keep-queue'],
        restartWorker: flags['restart-worker'],
        deleteDownloads: flags['delete-downloads'],
        batchSize: flags['batch-size'] ?? null,
        pauseSeconds: flags.pause,
        maxLagSeconds: flags['max-lag'] ?? null,
        replicas: flags.replica ?? null,
        notice: (text) => this.notice(text),
      });
      const progress = await startProgress({total, unit: 'jobs', quiet: flags.quiet, stderr: io.stderr});
      const onProgress = (done: number) => progress.update(done);
      const database = await context.database();
      const clearing = clearSite({...options, database, plan, signal, onProgress});
      return {exported, cleared: await clearing.finally(() => progress.stop())};
    });
  }
}
