import {BaseCommand} from '../../cli/base-command.ts';
import {confirmationFlags} from '../../cli/flags/shared-flags.ts';
import {agreeToInterrupt} from '../../cli/worker/executing.ts';
import {changeFlags, findWorker, workerService} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus} from '../../worker/enablement.ts';
import {stopWorker} from '../../worker/service.ts';

export default class WorkerStop extends BaseCommand<typeof WorkerStop> {
  static override changes = true;
  static override summary = 'Stop the worker, and check that Gearman no longer has its abilities.';
  static override description =
    `Stops the units through systemd and waits until they have no connection to a Gearman server. If a job is executing, it asks first, because Gearman hands that job out again to the next worker.

Exit status: 0 stopped and disconnected from Gearman, 1 not, 2 usage error, 3 no systemd on this machine, 5 declined.`;
  static override examples = [
    {
      description: 'For the worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Without a question',
      command: '<%= config.bin %> <%= command.id %> --yes',
    },
    {
      description: 'For one of several workers',
      command: '<%= config.bin %> <%= command.id %> --unit atom-worker@2 --yes',
    },
  ];
  static override flags = {...changeFlags, ...confirmationFlags};

  async run(): Promise<void> {
    const {flags, context} = this;
    const service = await workerService(context, await findWorker(context, flags), flags.wait);
    await agreeToInterrupt(context, service, {
      io: this.io,
      verb: 'stop',
      assumeYes: flags.yes || flags['no-confirmation'],
      notice: (text) => this.notice(text),
    });
    const changes = await stopWorker(service);
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
