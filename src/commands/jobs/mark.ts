import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, caller, markRecords} from '../../cli/change/audit-log.ts';
import {queueSources} from '../../cli/change/clear.ts';
import {plannedStatus} from '../../cli/change/planned-status.ts';
import {confirmationFlags, jobIdArg} from '../../cli/flags/shared-flags.ts';
import {type FlagValues, unlessDryRun, withFlag} from '../../cli/read-only.ts';
import {siteProbe} from '../../cli/site/live.ts';
import {requireAnswerer} from '../../cli/terminal/confirm.ts';
import {interruptibly} from '../../cli/terminal/interrupt.ts';
import {waitAloud} from '../../cli/terminal/wait-aloud.ts';
import {
  type Marked,
  type MarkOptions,
  type MarkTarget,
  markExitStatus,
  markJobs,
  planMark,
  previewMark,
} from '../../jobs/mark/mark.ts';
import {noSuchJob} from '../../jobs/model/show.ts';
import {renderMarked, renderMarkPlan} from '../../render/jobs/changes.ts';

export default class JobsMark extends BaseCommand<typeof JobsMark> {
  /** A probe takes waiting jobs and gives them back: gearmand counts a retry of each. */
  static override changes = (flags: FlagValues) => unlessDryRun(flags) || withFlag('probe')(flags);
  static override summary = 'Correct the row of a job that no worker executes.';
  static override usage = '<%= command.id %> ID... --as completed|error [FLAGS]';
  static override description =
    `Use it for jobs whose row is wrong: the work is finished but the row still says Running, the job is lost, or it ended with the wrong status. The row gets the status, a finish time if it has none (of a finished job, the time in its log; otherwise now), and a note that says who marked it, when and why. An executing or queued job is refused: use jobs:kill.

Exit status: 0 all marked, 1 only some, 2 usage error (nothing changed), 3 a server unreachable, 4 no such job, 5 declined or refused, 130 interrupted. --dry-run has the status of its plan; the real run can still refuse a job.`;
  static override examples = [
    {
      description: 'Mark a job as completed: its work is done; only the row was not saved',
      command: '<%= config.bin %> <%= command.id %> 500 --as completed',
    },
    {
      description: 'Mark a lost import as an error, with the reason',
      command: '<%= config.bin %> <%= command.id %> 501 --as error --reason "the worker was killed"',
    },
    {
      description: 'Mark several jobs without a question',
      command: '<%= config.bin %> <%= command.id %> 502,503 --as error --yes',
    },
  ];
  static override args = {id: jobIdArg({multiple: true, required: true})};
  static override flags = {
    ...confirmationFlags,
    as: Flags.option({
      summary: 'The new status of the job.',
      options: ['completed', 'error'] as const,
      required: true,
    })(),
    reason: Flags.string({summary: 'The reason, for the note of the job.', helpValue: 'TEXT'}),
    force: Flags.boolean({summary: 'Also mark a job whose state is not proved.'}),
    probe: Flags.boolean({
      summary:
        'Also read the waiting jobs and return them in order, to prove states: gearmand counts one retry for each.',
    }),
    'dry-run': Flags.boolean({summary: 'Show what would be done with each job, and change nothing.'}),
    ...auditFlag,
  };

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const options = await this.#options();
    const targets = await planMark(options);
    if (targets.size === 0) throw noSuchJob(options.ids[0]!);
    const planned = previewMark(options, targets);
    const wanted = planned.filter(({action}) => action === 'marked');
    if (flags['dry-run'] || wanted.length === 0) {
      await this.#presentPlan(planned, targets);
      return this.exitWith(plannedStatus(planned));
    }
    if (!assumeYes) this.tell(this.#planText(targets));
    await this.confirm({question: questionOf(wanted), assumeYes});
    const result = await this.change({
      attempt: {jobs: options.ids, as: flags.as},
      work: () => interruptibly((signal) => markJobs({...options, signal}, targets)),
      changes: (done) => markRecords(done.marked, options),
    });
    const {marked} = result;
    await this.presentSentences({marked}, () => renderMarked(marked, this.screen));
    this.exitWith(markExitStatus(result));
  }

  #presentPlan(planned: readonly Marked[], targets: ReadonlyMap<number, MarkTarget>): Promise<void> {
    if (!this.flags['dry-run'])
      return this.presentSentences({marked: planned}, () => renderMarked(planned, this.screen));
    const missing = planned.filter(({was}) => was === null);
    return this.presentSentences(
      {marked: planned, dryRun: true},
      () => this.#planText(targets) + renderMarked(missing, this.screen),
    );
  }

  #planText(targets: ReadonlyMap<number, MarkTarget>): string {
    return renderMarkPlan([...targets.values()], this.flags.as, this.screen);
  }

  /** What markJobs needs; nothing interrupts the plan. */
  async #options(): Promise<MarkOptions> {
    const {context, flags} = this;
    const [queue, database] = await Promise.all([queueSources(context), context.database()]);
    return {
      ...queue,
      database,
      ids: this.args.id,
      as: flags.as,
      reason: flags.reason ?? null,
      force: flags.force,
      by: caller(),
      culture: 'en',
      signal: new AbortController().signal,
      ...(flags.probe && {probe: siteProbe(queue, (text) => this.notice(text))}),
      recheck: {firstSeen: new Map(), wait: waitAloud((text) => this.notice(text))},
    };
  }
}

function questionOf(wanted: readonly Marked[]): string {
  const which = wanted.length === 1 ? `job ${wanted[0]!.id}` : `these ${wanted.length} jobs`;
  return `Are you sure you want to mark ${which}? (y/N)`;
}
