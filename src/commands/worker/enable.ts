import {BaseCommand} from '../../cli/base-command.ts';
import {findWorker, sudoFlag, unitExamples, unitFlags} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus, enableUnits} from '../../worker/enablement.ts';

export default class WorkerEnable extends BaseCommand<typeof WorkerEnable> {
  static override changes = true;
  static override summary = 'Start the worker when the machine starts.';
  static override description = `Enables the units and checks that they are enabled; nothing is started now.

Exit status: 0 enabled, 1 not enabled, 2 usage error, 3 no systemd on this machine.`;
  static override examples = unitExamples;
  static override flags = {...unitFlags, ...sudoFlag};

  async run(): Promise<void> {
    const {manager, units} = await findWorker(this.context, this.flags);
    const changes = await enableUnits(manager, units);
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
