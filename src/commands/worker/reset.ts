import {BaseCommand} from '../../cli/base-command.ts';
import {findWorker, sudoFlag, unitExamples, unitFlags} from '../../cli/worker/unit-flags.ts';
import {renderChanges} from '../../render/worker.ts';
import {changesDocument, changesExitStatus, resetUnits} from '../../worker/enablement.ts';

export default class WorkerReset extends BaseCommand<typeof WorkerReset> {
  static override changes = true;
  static override summary = "Clear the worker's failure state and its count of starts.";
  static override description =
    `Does the same as systemctl reset-failed: a worker that reached its start limit can then be started again. Nothing is started.

Exit status: 0 cleared, 1 not cleared, 2 usage error, 3 no systemd on this machine.`;
  static override examples = unitExamples;
  static override flags = {...unitFlags, ...sudoFlag};

  async run(): Promise<void> {
    const {manager, units} = await findWorker(this.context, this.flags);
    const changes = await resetUnits(manager, units);
    await this.presentSentences(changesDocument(changes), () => renderChanges(changes, this.screen));
    this.exitWith(changesExitStatus(changes));
  }
}
