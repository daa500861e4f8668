import {BaseCommand} from '../../cli/base-command.ts';
import {changeFlags, findWorker, resetFlag, workerService} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus} from '../../worker/enablement.ts';
import {startWorker} from '../../worker/service.ts';

export default class WorkerStart extends BaseCommand<typeof WorkerStart> {
  static override changes = true;
  static override summary = 'Start the worker, and check that Gearman has its abilities.';
  static override description =
    `Starts the units through systemd and waits until each has registered its abilities with every Gearman server. If systemd refuses because of the start limit, atomctl says how long the limit lasts; --reset clears the count first.

Exit status: 0 started and registered, 1 not started or not registered, 2 usage error, 3 no systemd on this machine.`;
  static override examples = [
    {
      description: 'For the worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'As a user other than root, with more time',
      command: '<%= config.bin %> <%= command.id %> --sudo --wait 60',
    },
    {
      description: 'After the start limit was reached',
      command: '<%= config.bin %> <%= command.id %> --reset',
    },
  ];
  static override flags = {...changeFlags, ...resetFlag};

  async run(): Promise<void> {
    const found = await findWorker(this.context, this.flags);
    const service = await workerService(this.context, found, this.flags.wait);
    const changes = await startWorker({...service, reset: this.flags.reset});
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
