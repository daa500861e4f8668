import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, clearRecords} from '../../cli/change/audit-log.ts';
import type {CheckLock} from '../../cli/change/change-site.ts';
import {clearOptions, clearPreview, historyBefore} from '../../cli/change/clear.ts';
import {parseReplica} from '../../cli/change/replicas.ts';
import {filterFlags, jobFilter} from '../../cli/flags/filter-flags.ts';
import {confirmationFlags, secondsFrom, wholeNumber} from '../../cli/flags/shared-flags.ts';
import {type FileName, fileName, namedFile} from '../../cli/history-file.ts';
import {unlessDryRun} from '../../cli/read-only.ts';
import {liveReport} from '../../cli/site/live.ts';
import {siteLine} from '../../cli/site/site-line.ts';
import {requireAnswerer} from '../../cli/terminal/confirm.ts';
import {ENDS_SOON, interruptibly} from '../../cli/terminal/interrupt.ts';
import {type Progress, startProgress} from '../../cli/terminal/progress.ts';
import {sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {EXIT} from '../../errors.ts';
import {checkWholeFile} from '../../files/write-whole-file.ts';
import {clearExitStatus, type SiteCleared} from '../../jobs/clear/clear.ts';
import {clearLive} from '../../jobs/clear/clear-live.ts';
import {type ClearPlan, planClear} from '../../jobs/clear/plan.ts';
import {settleLiveFilter} from '../../jobs/live/list-live.ts';
import type {LiveReport} from '../../jobs/live/live-state.ts';
import type {LiveState} from '../../jobs/model/job.ts';
import type {Interruptible} from '../../jobs/model/worker-control.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import {clearDocument, renderCleared, renderClearPlan} from '../../render/jobs/changes.ts';
import {sanitizeLine} from '../../render/sanitize.ts';

/** What to clear, and how. */
const clearFlags = {
  ...confirmationFlags,
  ...unitFlags,
  ...sudoFlag,
  inactive: Flags.boolean({summary: 'Only ended jobs (AtoM: Clear inactive jobs).'}),
  'dry-run': Flags.boolean({summary: 'Show what would be deleted, and change nothing.'}),
  export: Flags.string({
    summary:
      'First save the history as CSV; if this fails, nothing is deleted. Date sequences such as %F are replaced; if the file exists, the name gets a number.',
    helpValue: 'FILE',
  }),
  force: Flags.boolean({summary: 'Replace the file of --export if it exists.', dependsOn: ['export']}),
  'delete-downloads': Flags.boolean({
    summary:
      "Also delete the files of these jobs in the site's downloads directory, unless another job names the same file.",
  }),
  'keep-queue': Flags.boolean({summary: 'Do not change Gearman.', exclusive: ['restart-worker']}),
  'all-queued': Flags.boolean({
    summary: "Also remove this site's Gearman jobs without a row.",
    exclusive: ['keep-queue'],
  }),
  'restart-worker': Flags.boolean({
    summary: 'Also end executing jobs: stop their workers first, and start them again.',
  }),
  'interrupt-others': Flags.boolean({
    summary: 'Allow that other jobs of a stopped worker start again from the beginning.',
    dependsOn: ['restart-worker'],
  }),
};

const PACE_GROUP = 'PACE';

/** How much a large deletion may disturb the web site and the replicas. */
const paceFlags = {
  'batch-size': Flags.custom<number>({
    summary: 'Number of jobs in one transaction; by default, atomctl adapts it while clearing.',
    helpValue: 'N',
    helpGroup: PACE_GROUP,
    parse: wholeNumber(1, 'number of jobs'),
  })(),
  'max-lag': Flags.custom<number>({
    summary: 'Wait between transactions as long as a replica of the database is further behind than this.',
    helpValue: 'SECONDS',
    helpGroup: PACE_GROUP,
    parse: secondsFrom(0),
  })(),
  replica: Flags.custom<ReplicaAddress>({
    summary:
      'A replica to wait for; it needs the same user and password as the database. Repeatable. The default is the replicas that the server knows.',
    helpValue: 'HOST[:PORT]',
    helpGroup: PACE_GROUP,
    dependsOn: ['max-lag'],
    delimiter: ',',
    multiple: true,
    multipleNonGreedy: true,
    parse: async (text) => parseReplica(text),
  })(),
  pause: Flags.custom<number>({
    summary: 'Wait this long between transactions, so that the web site can use the database.',
    helpValue: 'SECONDS',
    helpGroup: PACE_GROUP,
    default: 0,
    parse: secondsFrom(0),
  })(),
};

export default class JobsClear extends BaseCommand<typeof JobsClear> {
  static override changes = unlessDryRun;
  static override summary =
    "Delete jobs and their history, and this site's queued Gearman jobs, after confirmation.";
  static override description =
    `Shows what will be deleted, by status, and asks. Deletes in short transactions; if it is interrupted, it stops after the current one and says how many jobs are deleted. Only jobs that match at the question are deleted: a job that starts or begins to match later is kept. With --live, jobs whose state changes after the question are kept, too. With --export, a running job that ends after the export is kept: in the file it is still running.

With --restart-worker, it says which units it will stop and which other jobs that interrupts. A yes at the question agrees to these jobs and no others; without the question, --interrupt-others is needed.

With --quiet, it prints nothing if there is no problem: use it for cron. If no job matches, no file is written.

Only jobs of this site are removed from the queue: those whose payload matches a deleted row. Jobs without a row stay in the queue, unless --all-queued is given.

Exit status: 0 cleared, 1 it failed before the end or Gearman may still have jobs of deleted rows, 2 usage error (nothing changed), 3 database unreachable, 5 declined, refused, or another atomctl holds the lock of the site (nothing changed), 130 interrupted.`;
  static override examples = [
    {
      description: 'Show which ended jobs older than 90 days would be deleted',
      command: '<%= config.bin %> <%= command.id %> --inactive --older-than 90d --dry-run',
    },
    {
      description: 'Delete them, and save their history in a file',
      command: '<%= config.bin %> <%= command.id %> --inactive --older-than 90d --export old-jobs.csv --yes',
    },
    {
      description: 'Delete all jobs, as jobs:clear of AtoM does',
      command: '<%= config.bin %> <%= command.id %>',
    },
  ];
  static override flags = {...filterFlags, ...clearFlags, ...paceFlags, ...auditFlag};

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const {plan, live, file} = await this.#plan();
    // A file that cannot be written ends the command before the question.
    const exportTo = file && (await checkWholeFile(namedFile(file, flags.force)));
    if (exportTo !== null) await this.requireOtherLog(exportTo, '--export');
    const isUnseen = assumeYes && !flags['dry-run'];
    const preview = await clearPreview(this.context, plan, {...this.#settings(), isUnseen}, exportTo);
    if (flags['dry-run']) {
      this.notice(await siteLine(this.context));
      await this.presentSentences(clearDocument({preview, dryRun: true}), () =>
        renderClearPlan(preview, this.screen),
      );
      return;
    }
    if (!assumeYes) this.tell(renderClearPlan(preview, this.screen));
    const isNothing = plan.total === 0 && !flags['all-queued'];
    await this.confirm({question: questionOf(plan), assumeYes: assumeYes || isNothing});

    // Who answers the question has read which jobs are interrupted.
    const asked = new Set(preview.stop?.interrupts.map(({id}) => id));
    const mayInterrupt = assumeYes && flags['interrupt-others'] ? 'all' : asked;

    const {exported, cleared} = await this.change({
      attempt: {filter: plan.filter, jobs: plan.total},
      work: (checkLock) => this.#clear({plan, live, file, mayInterrupt}, checkLock),
      changes: (done) => clearRecords(plan, done.cleared, done.exported),
    });

    // Also under --quiet: what was asked for was not done completely.
    for (const problem of cleared.problems) this.tell(`Warning: ${sanitizeLine(problem)}\n`);
    const exitStatus = clearExitStatus(cleared);
    const isSilent = flags.quiet && exitStatus === EXIT.ok;
    await this.presentSentences(clearDocument({preview, cleared, exported, dryRun: false}), () =>
      isSilent ? '' : renderCleared(cleared, {exported, planned: plan.total}, this.screen),
    );
    this.exitWith(exitStatus);
  }

  /** What the plan and the clear have in common. */
  #settings() {
    const {flags} = this;
    return {
      unit: flags,
      keepQueue: flags['keep-queue'],
      allQueued: flags['all-queued'],
      restartWorker: flags['restart-worker'],
      deleteDownloads: flags['delete-downloads'],
    };
  }

  /** The jobs that match, before anything is changed. */
  async #plan(): Promise<Planned> {
    const {flags, context} = this;
    const notice = (text: string) => this.notice(text);
    const wanted = await jobFilter(flags, context, {notice, explain: true});
    const database = await context.database();
    const filter = await settleLiveFilter(wanted, () => this.#liveReport());
    const plan = await planClear({database, filter, inactive: flags.inactive});
    // Of nothing, no history is saved: a nightly run would leave an empty file each night.
    const name = flags.export === undefined ? null : await fileName(context, flags.export, '--export');
    return {plan, live: wanted.live ?? null, file: plan.total === 0 ? null : name};
  }

  #liveReport(): Promise<LiveReport> {
    return liveReport(this.context, (text) => this.notice(text));
  }

  /** Exports the history if wanted, right before the first change, then deletes, with a progress bar. */
  #clear(
    {plan, live, file, mayInterrupt}: Planned & {mayInterrupt: Interruptible},
    checkLock: CheckLock,
  ): Promise<{exported: string | null; cleared: SiteCleared}> {
    const {flags, context, io} = this;
    let progress: Progress | null = null;
    return interruptibly(
      async (signal) => {
        const {total} = plan;
        let exported: string | null = null;
        const onExported = (path: string) => {
          exported = path;
        };
        const history = historyBefore(context, {name: file, force: flags.force, signal, onExported});
        const options = await clearOptions(context, {
          ...this.#settings(),
          mayInterrupt,
          batchSize: flags['batch-size'] ?? null,
          pauseSeconds: flags.pause,
          maxLagSeconds: flags['max-lag'] ?? null,
          replicas: flags.replica ?? null,
          notice: (text) => this.notice(text),
        });
        const bar = await startProgress({total, unit: 'jobs', quiet: flags.quiet, stderr: io.stderr});
        progress = bar;
        const onProgress = (done: number) => bar.update(done);
        const database = await context.database();
        const clearing = clearLive(
          {...options, database, plan, history, checkLock, signal, onProgress},
          live && {states: live, report: () => this.#liveReport()},
        );
        const cleared = await clearing.finally(() => bar.stop());
        return {exported, cleared};
      },
      () => {
        progress?.stop();
        this.notice(ENDS_SOON);
      },
    );
  }
}

function questionOf({total}: ClearPlan): string {
  return total === 0
    ? "Remove this site's waiting Gearman jobs without a row? (y/N)"
    : `Are you SURE you want to clear ${total === 1 ? '1 job' : `all ${total} jobs`}? (y/N)`;
}

/** What is to be cleared. */
interface Planned {
  plan: ClearPlan;
  live: LiveState[] | null;
  /** Where the history goes; null if it is not saved. */
  file: FileName | null;
}
