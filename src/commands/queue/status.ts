import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.ts';
import {secondsFrom} from '../../cli/flags.ts';
import {healthFlags, queueLimits} from '../../cli/queue-health.ts';
import {queueExitStatus, shownLookOptions, watchedQueue} from '../../cli/queue-look.ts';
import {watch, watchFlag} from '../../cli/watch.ts';
import type {AtomctlError} from '../../errors.ts';
import {lookAtQueue} from '../../queue/look.ts';
import {VERDICTS} from '../../queue/verdict.ts';
import {waitUntilHealthy} from '../../queue/wait-until-healthy.ts';
import {renderQueueError, renderQueueMetrics, renderQueuePlugin} from '../../render/queue-monitoring.ts';
import {renderQueueStatus} from '../../render/queue-table.ts';

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
  static override flags = {
    'all-sites': Flags.boolean({summary: 'Show the functions of other sites too, by their prefix.'}),
    all: Flags.boolean({summary: 'Show functions with no work and no workers too.'}),
    ...healthFlags,
    wait: Flags.custom<number>({
      summary: 'Try again until healthy, for so long at most.',
      helpValue: 'SECONDS',
      default: 0,
      parse: secondsFrom(0),
    })(),
    watch: watchFlag(['nagios', 'prometheus', 'wait']),
    nagios: Flags.boolean({
      summary: 'Print one plugin line with figures, and use the plugin exit codes.',
      exclusive: ['json', 'prometheus'],
    }),
    prometheus: Flags.boolean({summary: 'Print Prometheus metrics.', exclusive: ['json']}),
  };

  async run(): Promise<void> {
    const {flags, context} = this;
    if (flags.watch !== undefined) {
      const {stdin, stdout} = process;
      const notice = (text: string) => this.notice(text);
      const place = {json: this.jsonEnabled(), screen: () => this.screen, stdin, stdout, notice};
      this.exitWith(await watch(context, {...watchedQueue(flags), seconds: flags.watch}, place));
      return;
    }
    const {wait: seconds, nagios, prometheus} = flags;
    const options = await shownLookOptions(context, flags);
    const look = await waitUntilHealthy({look: () => lookAtQueue(options), seconds, now: context.now, sleep});
    await this.present(look.status, () => {
      if (nagios) return renderQueuePlugin(look, queueLimits(flags));
      return prometheus ? renderQueueMetrics(look) : renderQueueStatus(look, this.screen);
    });
    this.exitWith(nagios ? VERDICTS[look.status.status].pluginExitStatus : queueExitStatus(look.status));
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
