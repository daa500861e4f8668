import {BaseCommand} from '../../cli/base-command.ts';
import {findWorker, sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus, resetUnits} from '../../worker/enablement.ts';

export default class WorkerReset extends BaseCommand<typeof WorkerReset> {
  static override changes = true;
  static override summary = "Clear the worker's failure state and its count of starts.";
  static override description =
    `What systemctl reset-failed does: after it, a worker that reached its start limit can be started again. Nothing is started.

Exit status: 0 cleared, 1 not, 2 usage error, 3 no systemd here.`;
  static override examples = [
    {
      description: 'The worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'As another user than root',
      command: '<%= config.bin %> <%= command.id %> --sudo',
    },
    {
      description: 'One of several workers',
      command: '<%= config.bin %> <%= command.id %> --sudo --unit atom-worker@1',
    },
  ];
  static override flags = {...unitFlags, ...sudoFlag};

  async run(): Promise<void> {
    const {manager, units} = await findWorker(this.context, this.flags);
    const changes = await resetUnits(manager, units);
    await this.present(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
