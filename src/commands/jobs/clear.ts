import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, clearRecords} from '../../cli/change/audit-log.ts';
import {clearFlags, clearSources, exportBefore} from '../../cli/change/clear.ts';
import {confirm, requireAnswerer} from '../../cli/confirm.ts';
import {filterFlags, hasFilter, jobFilter} from '../../cli/flags/filter-flags.ts';
import {interruptibly} from '../../cli/interrupt.ts';
import {liveReport} from '../../cli/live.ts';
import {startProgress} from '../../cli/progress.ts';
import {EXIT} from '../../errors.ts';
import {clearSite} from '../../jobs/clear/clear.ts';
import {planClear} from '../../jobs/clear/clear-rows.ts';
import {settleLiveFilter} from '../../jobs/live/list-live.ts';
import {clearDocument, renderCleared, renderClearPlan} from '../../render/jobs/changes.ts';

export default class JobsClear extends BaseCommand<typeof JobsClear> {
  static override summary =
    "Delete jobs and their history, and this site's queued Gearman jobs, after confirmation.";
  static override description =
    `Shows what will go, by status, and asks. Deletes in short transactions; interrupted, it stops after the current one
and says how many are gone. Jobs that start after the question pollSession.

Exit status: 0 cleared, 1 failed on the way, 2 usage error (nothing touched), 3 database unreachable, 5 declined
or another run holds the site's lock, 130 interrupted.`;
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
  static override flags = {...filterFlags, ...clearFlags, ...auditFlag};

  async run(): Promise<void> {
    const {flags, context} = this;
    const {stdin, stdout, stderr} = process;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({assumeYes, stdin, stdout});
    const wanted = await jobFilter(flags, () => context.time(), context.now());
    const database = await context.database();
    const filter = await settleLiveFilter(wanted, () => liveReport(context, (text) => this.notice(text)));
    const plan = await planClear({database, filter, inactive: flags.inactive});
    if (flags['dry-run']) {
      await this.present(clearDocument({plan, dryRun: true}), () => renderClearPlan(plan, this.screen));
      return;
    }
    if (!assumeYes) stderr.write(renderClearPlan(plan, this.screen));
    const question = `Are you SURE you want to clear all ${plan.total} jobs? (y/N)`;
    await confirm({question, assumeYes, stdin, stdout, stderr});

    const everything = !hasFilter(flags) && !flags.inactive;
    const {exported, cleared} = await this.change({
      attempt: {filter: plan.filter, jobs: plan.total},
      work: () =>
        interruptibly(async (signal) => {
          const exported = await exportBefore(context, {flags, filter: plan.filter, signal});
          const notice = (text: string) => this.notice(text);
          const sources = await clearSources(context, {flags, everything, notice});
          const progress = await startProgress({total: plan.total, unit: 'jobs', quiet: flags.quiet, stderr});
          const onProgress = (done: number) => progress.update(done);
          const cleared = await clearSite({...sources, database, plan, signal, onProgress}).finally(() =>
            progress.stop(),
          );
          return {exported, cleared};
        }),
      changes: (done) => clearRecords(plan, done.cleared, done.exported),
    });

    for (const problem of cleared.problems) this.notice(`Warning: ${problem}`);
    await this.present(clearDocument({plan, cleared, exported, dryRun: false}), () =>
      renderCleared(cleared, exported, this.screen),
    );
    if (cleared.interrupted) this.exitWith(EXIT.interrupted);
    else if (cleared.failure !== null) this.exitWith(cleared.failure.exitStatus);
  }
}
