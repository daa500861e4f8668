import {BaseCommand} from '../../cli/base-command.ts';
import {findWorker, sudoFlag, unitExamples, unitFlags} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus, disableUnits} from '../../worker/enablement.ts';

export default class WorkerDisable extends BaseCommand<typeof WorkerDisable> {
  static override changes = true;
  static override summary = 'Do not start the worker when the machine starts.';
  static override description =
    `Disables the units and checks that they are disabled; a running worker continues.

Exit status: 0 disabled, 1 not disabled, 2 usage error, 3 no systemd on this machine.`;
  static override examples = unitExamples;
  static override flags = {...unitFlags, ...sudoFlag};

  async run(): Promise<void> {
    const {manager, units} = await findWorker(this.context, this.flags);
    const changes = await disableUnits(manager, units);
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
