import {BaseCommand} from '../../cli/base-command.ts';
import {AtomctlError, EXIT} from '../../errors.ts';
import {askServers} from '../../queue/server-report.ts';
import {serverState} from '../../queue/status.ts';
import {queueWorkers} from '../../queue/workers.ts';
import {renderQueueWorkers} from '../../render/queue/table.ts';

export default class QueueWorkers extends BaseCommand<typeof QueueWorkers> {
  static override changes = false;
  static override summary = 'Show the workers connected to Gearman: their site, process and abilities.';
  static override description =
    `A worker that is connected to several servers is one line. Its process id is that on its own host or in its own container. A connection that has registered no function is not a worker; doctor reports those.

Exit status: 0 every server answered, 1 some did not, 2 usage error, 3 none did.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<void> {
    const site = await this.context.site();
    const [addresses, prefix] = await Promise.all([this.context.serverAddresses(), site.functionPrefix()]);
    const servers = await askServers({
      addresses,
      timeoutSeconds: this.context.timeoutSeconds,
    });
    const workers = queueWorkers({servers, prefix: prefix.value});
    const failed = servers.flatMap(({error}) => error ?? []);
    if (failed.length === servers.length) {
      throw new AtomctlError('GEARMAN_UNREACHABLE', failed.join(' '), {
        hint: 'Check that gearmand runs, and the servers (atomctl config).',
      });
    }
    for (const error of failed) this.notice(error);
    await this.present({workers, servers: servers.map(serverState)}, () =>
      renderQueueWorkers(workers, this.screen),
    );
    if (failed.length > 0) this.exitWith(EXIT.failed);
  }
}
