import {allSitesFlag} from '../../cli/all-sites.ts';
import {BaseCommand} from '../../cli/base-command.ts';
import {executingJobs} from '../../cli/worker/executing.ts';
import {findWorker, unitFlags, workerService} from '../../cli/worker/unit-flags.ts';
import {EXIT} from '../../errors.ts';
import {renderWorkerStatus} from '../../render/worker.ts';
import {workerStatus} from '../../worker/status.ts';

export default class WorkerStatus extends BaseCommand<typeof WorkerStatus> {
  static override changes = false;
  static override summary =
    "The worker's units as systemd and Gearman see them, and whether they are healthy.";
  static override description =
    `A unit is healthy when it runs and has registered, with every Gearman server, the abilities that gearman.yml lists: active alone does not mean that it does any work. For a unit that does not run it says why, and whether it will come back by itself. Workers that are connected but belong to no unit are shown too.

systemd does not tell how many starts it has counted, so that number is a bound, from the journal.

Exit status: 0 healthy, 1 a problem was found, 2 usage error, 3 no systemd here, or no Gearman server answered.`;
  static override examples = [
    {
      description: 'The worker of the site',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'One of several workers',
      command: '<%= config.bin %> <%= command.id %> --unit atom-worker@1',
    },
    {
      description: 'The workers of every site, for a script',
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
