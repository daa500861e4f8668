import {BaseCommand} from '../../cli/base-command.ts';
import {deliverMetrics} from '../../cli/metrics.ts';
import {watch} from '../../cli/polling/watch.ts';
import {
  healthFlags,
  queueExitStatus,
  queueFlags,
  queueLimits,
  waitForHealth,
  watchedQueue,
} from '../../cli/queue-status.ts';
import type {AtomctlError} from '../../errors.ts';
import {VERDICTS} from '../../queue/verdict.ts';
import {renderQueueError, renderQueueMetrics, renderQueuePlugin} from '../../render/queue/monitoring.ts';
import {renderQueueStatus} from '../../render/queue/table.ts';

export default class QueueStatus extends BaseCommand<typeof QueueStatus> {
  static override summary = 'Ask every Gearman server how the queue is, and judge its health.';
  static override description =
    `Shows each server, and each function of this site with its queued and running jobs and its workers, summed over the servers. Where AtoM's database can be asked, the jobs it calls running are counted too.

The verdict is critical where a server does not answer, a job class that gearman.yml lists has no worker, or a --critical limit is passed; warning where a --warning limit is passed, or a job class has no worker on one of several servers; unknown where the database does not answer or this site's function prefix is not known.

Exit status: 0 healthy, 1 any other verdict, 2 usage error, 3 no server answered, 130 a watch was interrupted. With --nagios: 0 ok, 1 warning, 2 critical, 3 unknown, also for a usage error.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --nagios --warning-queued 20 --critical-age 6h',
    '<%= config.bin %> <%= command.id %> --wait 30 --require-worker arFindingAidJob',
  ];
  static override flags = {...queueFlags, ...healthFlags};

  async run(): Promise<void> {
    const {flags, context} = this;
    if (flags.watch !== undefined) {
      const {stdin, stdout} = process;
      const notice = (text: string) => this.notice(text);
      const place = {json: this.jsonEnabled(), screen: () => this.screen, stdin, stdout, notice};
      this.exitWith(await watch(context, {...watchedQueue(flags), seconds: flags.watch}, place));
      return;
    }
    await this.answer(async (site) => {
      const look = await waitForHealth(site, flags);
      const plugin = () => renderQueuePlugin(look, queueLimits(flags));
      const metrics = () => deliverMetrics(flags, (labels) => renderQueueMetrics(look, labels));
      return {
        document: look.status,
        text: (screen) => {
          if (flags.nagios) return plugin();
          return flags.prometheus ? metrics() : renderQueueStatus(look, screen);
        },
        exitStatus: queueExitStatus(look.status, flags),
      };
    }, flags['every-site']);
  }

  /** A monitoring system reads one line on stdout, whatever went wrong. */
  protected override presentError(error: AtomctlError): void {
    if (this.#isPlugin) process.stdout.write(renderQueueError(error));
    else super.presentError(error);
  }

  protected override exitStatusFor(error: AtomctlError): number {
    return this.#isPlugin ? VERDICTS.unknown.pluginExitStatus : super.exitStatusFor(error);
  }

  /** By the words themselves: where the flags cannot be parsed it must be known all the same. */
  get #isPlugin(): boolean {
    return this.argv.includes('--nagios');
  }
}
