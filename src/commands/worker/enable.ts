import {BaseCommand} from '../../cli/base-command.ts';
import {findWorker, sudoFlag, unitFlags} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus, enableUnits} from '../../worker/enablement.ts';

export default class WorkerEnable extends BaseCommand<typeof WorkerEnable> {
  static override changes = true;
  static override summary = 'Have the worker started when the machine starts.';
  static override description = `Enables the units and reads back that they are; nothing is started now.

Exit status: 0 enabled, 1 not, 2 usage error, 3 no systemd here.`;
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
    const changes = await enableUnits(manager, units);
    await this.present(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
