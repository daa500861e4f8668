import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {auditFlag, restoreRecords} from '../../cli/change/audit-log.ts';
import {type RestoreWork, withRestoreOptions} from '../../cli/change/restore.ts';
import {confirmationFlags} from '../../cli/flags/shared-flags.ts';
import {unlessDryRun} from '../../cli/read-only.ts';
import {requireAnswerer} from '../../cli/terminal/confirm.ts';
import {ENDS_SOON, interruptibly} from '../../cli/terminal/interrupt.ts';
import {counted} from '../../counted.ts';
import {previewRestore, type RestoreResult, restoreExitStatus, restoreJobs} from '../../jobs/save/restore.ts';
import {renderRestored, restoreDocument} from '../../render/queue/saved.ts';

export default class QueueRestore extends BaseCommand<typeof QueueRestore> {
  static override changes = unlessDryRun;
  static override summary = 'Submit the jobs of a copy again that no Gearman server knows any more.';
  static override usage = '<%= command.id %> FILE [FLAGS]';
  static override description =
    `Submits the jobs that queue:save has saved, in their order and with their priorities, if no server knows them and their row still says Running. A job that waits or executes is not touched, and neither is a job whose row has ended. A second run does nothing. The file must belong to root or to you, and must not be writable by other users, because it decides which jobs run.

A job that a worker began after it was saved is submitted only if it is proved to be lost. A key is blocked while the server has a cancelled entry for it, because the server would ignore the job: run the command again after a worker has polled. Every server of the site must answer. Jobs that a server took and forgot meanwhile, as a gearmand that was restarted does, count as failed.

Exit status: 0 done, or nothing to do, 1 some jobs were refused or failed, 2 usage error, or a file that is damaged or not trusted (nothing touched), 3 a server unreachable, 5 declined or refused, 130 interrupted. After 1, 3 and 130, the same command continues.`;
  static override examples = [
    {
      description: 'Submit the saved jobs that gearmand lost',
      command: '<%= config.bin %> <%= command.id %> queue.json',
    },
    {
      description: 'Show what would be submitted',
      command: '<%= config.bin %> <%= command.id %> queue.json --dry-run',
    },
    {
      description: 'Move the queue to another server',
      command: '<%= config.bin %> <%= command.id %> queue.json --to queue.example.org:4730',
    },
  ];
  static override args = {
    file: Args.string({description: 'A file of queue:save.', required: true, ignoreStdin: true}),
  };
  static override flags = {
    ...confirmationFlags,
    'dry-run': Flags.boolean({summary: 'Show what would be done with each job and change nothing.'}),
    to: Flags.string({
      summary: 'Submit all jobs to this Gearman server, and not to those that had them.',
      helpValue: 'HOST[:PORT]',
    }),
    're-prefix': Flags.boolean({
      summary: "Submit jobs of an earlier function prefix under the site's own.",
    }),
    ...auditFlag,
  };

  async run(): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    await this.requireOtherLog(this.args.file, 'FILE');
    const choice = {file: this.args.file, to: flags.to, rePrefix: flags['re-prefix']};
    await withRestoreOptions(
      this.context,
      choice,
      (text) => this.notice(text),
      (options) => this.#restore(options, assumeYes),
    );
  }

  async #restore(options: RestoreWork, assumeYes: boolean): Promise<void> {
    const {file} = this.args;
    const planned = await previewRestore(options);
    const count = planned.jobs.filter(({action}) => action === 'submitted').length;
    if (this.flags['dry-run'] || count === 0) return this.#present(planned);
    if (!assumeYes) {
      for (const warning of planned.warnings) this.notice(`Warning: ${warning}`);
      this.tell(renderRestored(planned, {dryRun: true, file}));
    }
    const which = counted(count, 'job');
    await this.confirm({question: `Are you sure you want to submit ${which} again? (y/N)`, assumeYes});
    const restored = await this.change({
      attempt: {restoredFrom: file, jobs: count},
      work: () =>
        interruptibly(
          (signal) => restoreJobs({...options, signal}, assumeYes ? null : planned),
          () => this.notice(ENDS_SOON),
        ),
      changes: ({jobs}) => restoreRecords(jobs, file),
    });
    const told = new Set(assumeYes ? [] : planned.warnings);
    await this.#present({...restored, warnings: restored.warnings.filter((text) => !told.has(text))});
  }

  async #present(result: RestoreResult): Promise<void> {
    const how = {dryRun: this.flags['dry-run'] === true, file: this.args.file};
    for (const warning of result.warnings) this.notice(`Warning: ${warning}`);
    await this.presentSentences(restoreDocument(result, how), () => renderRestored(result, how));
    this.exitWith(restoreExitStatus(result));
  }
}
