import {BaseCommand} from '../../cli/base-command.ts';
import {allSitesFlag} from '../../cli/site/all-sites.ts';
import {withJobs} from '../../cli/site/busy-workers.ts';
import {AtomctlError, EXIT} from '../../errors.ts';
import {askServers} from '../../queue/server-report.ts';
import {serverState} from '../../queue/status.ts';
import {queueWorkers} from '../../queue/workers.ts';
import {renderQueueWorkers} from '../../render/queue/workers.ts';

export default class QueueWorkers extends BaseCommand<typeof QueueWorkers> {
  static override changes = false;
  static override summary =
    'Show the workers connected to Gearman: their processes, the jobs that they execute, and their abilities.';
  static override description =
    `A worker that is connected to several servers has one line. Its process id is valid on its own host or in its own container. A connection that has registered no function is not a worker; doctor reports those.

Gearman does not say which worker has which job. The column EXECUTES names the job if only one worker of this site can have it; otherwise it names each job that the worker may have. It needs the database.

Exit status: 0 every server answered, 1 some did not answer, 2 usage error, 3 no server answered.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
    {
      description: 'Show the workers of every site of the configuration file',
      command: '<%= config.bin %> <%= command.id %> --all-sites',
    },
  ];
  static override flags = {'all-sites': allSitesFlag()};

  async run(): Promise<void> {
    await this.answer(async (context, notice) => {
      const site = await context.site();
      const [addresses, prefix] = await Promise.all([context.serverAddresses(), site.functionPrefix()]);
      const servers = await askServers({addresses, timeoutSeconds: context.timeoutSeconds});
      const failed = servers.flatMap(({error}) => error ?? []);
      if (failed.length === servers.length) {
        throw new AtomctlError('GEARMAN_UNREACHABLE', failed.join(' '), {
          hint: 'Check that gearmand runs, and check the addresses with: atomctl config',
        });
      }
      for (const error of failed) notice(error);
      const workers = await withJobs(context, queueWorkers({servers, prefix: prefix.value}), notice);
      return {
        document: {workers, servers: servers.map(serverState)},
        text: (screen) => renderQueueWorkers(workers, screen, context.now()),
        exitStatus: failed.length > 0 ? EXIT.failed : EXIT.ok,
      };
    }, this.flags['all-sites']);
  }
}
