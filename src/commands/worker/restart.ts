import {BaseCommand} from '../../cli/base-command.ts';
import {confirmationFlags} from '../../cli/flags/shared-flags.ts';
import {agreeToInterrupt} from '../../cli/worker/executing.ts';
import {changeFlags, findWorker, resetFlag, workerService} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus} from '../../worker/enablement.ts';
import {restartWorker} from '../../worker/service.ts';

export default class WorkerRestart extends BaseCommand<typeof WorkerRestart> {
  static override changes = true;
  static override summary = 'Restart the worker, and check that Gearman has its abilities again.';
  static override description =
    `Restarts the units one after the other and waits until each has registered its abilities with every Gearman server. Restarts count towards systemd's start limit: a worker that may have used all of its starts is not restarted, unless --reset clears the count first. If a job is executing, it asks first, because Gearman hands that job out again. To end the job itself, use jobs:kill --restart-worker.

Exit status: 0 restarted and registered, 1 not restarted or not registered, 2 usage error, 3 no systemd on this machine, 5 declined.`;
  static override examples = [
    {
      description: 'For the worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'After the start limit was reached, without a question',
      command: '<%= config.bin %> <%= command.id %> --reset --yes',
    },
    {
      description: 'For one of several workers',
      command: '<%= config.bin %> <%= command.id %> --sudo --unit atom-worker@2',
    },
  ];
  static override flags = {...changeFlags, ...resetFlag, ...confirmationFlags};

  async run(): Promise<void> {
    const {flags, context} = this;
    const service = await workerService(context, await findWorker(context, flags), flags.wait);
    await agreeToInterrupt(context, service, {
      io: this.io,
      verb: 'restart',
      assumeYes: flags.yes || flags['no-confirmation'],
      notice: (text) => this.notice(text),
    });
    const changes = await restartWorker({...service, reset: flags.reset});
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
