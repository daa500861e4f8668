import {BaseCommand} from '../../cli/base-command.ts';
import {allSitesFlag} from '../../cli/site/all-sites.ts';
import {executingJobs} from '../../cli/worker/executing.ts';
import {findWorker, unitFlags, workerService} from '../../cli/worker/unit-flags.ts';
import {EXIT} from '../../errors.ts';
import {renderWorkerStatus} from '../../render/worker.ts';
import {workerStatus} from '../../worker/status.ts';

export default class WorkerStatus extends BaseCommand<typeof WorkerStatus> {
  static override changes = false;
  static override summary =
    "Show the worker's units as systemd and Gearman see them, and check their health.";
  static override description =
    `A unit is healthy if it runs and has registered the abilities of gearman.yml with every Gearman server: an active unit does not always do work. For a unit that does not run, it shows why, and if systemd will start it again. Connected workers that belong to no unit are also shown.

systemd does not say how many starts it has counted, so atomctl shows an upper limit from the journal.

Exit status: 0 healthy, 1 a problem was found, 2 usage error, 3 no systemd on this machine, or no Gearman server answered.`;
  static override examples = [
    {
      description: 'For the worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'For one of several workers',
      command: '<%= config.bin %> <%= command.id %> --unit atom-worker@1',
    },
    {
      description: 'For every site, as JSON for a script',
      command: '<%= config.bin %> <%= command.id %> --all-sites --json',
    },
  ];
  static override flags = {...unitFlags, 'all-sites': allSitesFlag(['unit'])};

  async run(): Promise<void> {
    await this.answer(async (context, notice) => {
      const found = await findWorker(context, this.flags);
      const [service, executing] = await Promise.all([
        workerService(context, found, 0),
        executingJobs(context, found, notice),
      ]);
      const status = await workerStatus({...service, executing});
      const noServer = status.servers.every(({reachable}) => !reachable);
      return {
        document: status,
        text: (screen) => renderWorkerStatus(status, screen, context.now()),
        exitStatus: noServer ? EXIT.unreachable : status.status === 'ok' ? EXIT.ok : EXIT.failed,
      };
    }, this.flags['all-sites']);
  }
}
