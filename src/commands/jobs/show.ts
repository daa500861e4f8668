import {Flags} from '@oclif/core';
import type {SiteTime} from '../../atom/site-time.ts';
import {BaseCommand} from '../../cli/base-command.ts';
import {jobIdArg, wholeNumber} from '../../cli/flags/shared-flags.ts';
import {follow} from '../../cli/polling/follow.ts';
import {liveSources, noticeMissing} from '../../cli/site/live.ts';
import {showLiveJob} from '../../jobs/live/list-live.ts';
import type {LiveReport} from '../../jobs/live/live-state.ts';
import type {JobDetails} from '../../jobs/model/job.ts';
import {isOfExecutingKill} from '../../jobs/model/own-notes.ts';
import {renderJobDetails, renderLog} from '../../render/jobs/details.ts';

const TAIL = 20;

export default class JobsShow extends BaseCommand<typeof JobsShow> {
  static override changes = false;
  static override summary = 'Show one job: overview, notes, errors and the end of the log.';
  static override usage = '<%= command.id %> ID [FLAGS]';
  static override description =
    `Shows what AtoM's job details page shows and, for a running job, its live state and its last activity. It shows the last lines of the log, without the id and name of the job, which AtoM repeats in each line. On a terminal, output longer than the screen goes through a pager: ATOMCTL_PAGER, PAGER or less.

With --follow and --json, it prints one document per line for each change: {"job": Job, "log": "what was added", "logAnew": false, "end": null}; in the last one, "end" is finished, lost or deleted. If logAnew is true, the log was started again and is printed from its start.

Exit status: 0 shown, 2 usage error, 3 database unreachable, 4 no such job. With --follow, the result of the job, as with jobs:wait: 0 completed, 1 failed, lost or deleted, 130 interrupted.`;
  static override examples = [
    {description: 'Show everything about a job', command: '<%= config.bin %> <%= command.id %> 500'},
    {
      description: 'Print its whole log and nothing else',
      command: '<%= config.bin %> <%= command.id %> 500 --log',
    },
    {
      description: 'Follow its log until the job ends',
      command: '<%= config.bin %> <%= command.id %> 500 --follow',
    },
  ];
  static override args = {
    id: jobIdArg({required: true}),
  };
  static override flags = {
    follow: Flags.boolean({char: 'f', summary: 'Follow the log: print new lines until the job ends.'}),
    log: Flags.boolean({
      summary: 'Print only the log, as AtoM stored it.',
      exclusive: ['follow', 'json'],
    }),
    tail: Flags.custom<number>({
      summary: 'Print only the last N lines of the log; the default is 20, with --log all.',
      helpValue: 'N',
      exclusive: ['follow', 'json'],
      parse: wholeNumber(0, 'number of lines'),
    })(),
    'no-live': Flags.boolean({summary: 'Do not ask Gearman for the live state.'}),
    'no-pager': Flags.boolean({summary: 'Do not use a pager.'}),
  };

  async run(): Promise<void> {
    const notice = (text: string) => this.notice(text);
    const wanted = {id: this.args.id, live: !this.flags['no-live']};
    if (this.flags.follow) {
      const write = (text: string) => this.io.stdout.write(text);
      const shown = {json: this.jsonEnabled(), screen: this.screen, write, notice};
      this.exitWith(await follow(this.context, {...wanted, ...shown}));
      return;
    }
    const [database, time] = await Promise.all([this.context.database(), this.context.time()]);
    const {job, report} = await showLiveJob({database, time, now: this.context.now(), ...wanted}, () =>
      liveSources(this.context, {notice}),
    );
    if (report !== null) noticeMissing(report, notice);
    const isQueued = (job.likely ?? job.live) === 'queued';
    const waits = report === null || !isQueued ? '' : await workersSentence(report, job.id, time);
    const goesOn = wanted.live ? await this.#goesOn(job) : '';
    await this.#show(job, {waits, goesOn, again: goesOn === '' ? await runAgainText(job) : ''});
  }

  /** Of a job that was killed with --force: that a worker still executes it; otherwise empty. */
  async #goesOn(job: JobDetails): Promise<string> {
    if (job.status === 'running' || !job.notes.some(({text}) => isOfExecutingKill(text))) return '';
    const [{endedJobsInGearman}, {stateOf}, database, sources] = await Promise.all([
      import('../../jobs/live/ended-jobs.ts'),
      import('../../jobs/mark/mark.ts'),
      this.context.database(),
      liveSources(this.context, {notice: (text) => this.notice(text)}),
    ]);
    const {was, reason} = stateOf(job, null, await endedJobsInGearman([job.id], {...sources, database}));
    return was === 'executing'
      ? `${reason} jobs:retry refuses it until that ends: atomctl queue:workers`
      : '';
  }

  async #show(job: JobDetails, lines: {waits: string; goesOn: string; again: string}): Promise<void> {
    const {log, tail, 'no-pager': noPager} = this.flags;
    const text = () =>
      log ? renderLog(job, tail) : renderJobDetails(job, this.screen, {tail: tail ?? TAIL, ...lines});
    if (this.jsonEnabled() || noPager || !this.screen.isTTY) return this.present(job, text);
    const {page} = await import('../../cli/terminal/pager.ts');
    return page(text(), this.io);
  }
}

async function workersSentence(report: LiveReport, id: number, time: SiteTime): Promise<string> {
  const [{workersFor}, {waitsFor}] = await Promise.all([
    import('../../jobs/live/busy-workers.ts'),
    import('../../render/jobs/waits-for.ts'),
  ]);
  return waitsFor(workersFor(report, id), time);
}

/** How a job that failed or is lost is run again; otherwise empty. */
async function runAgainText(job: JobDetails): Promise<string> {
  if (job.status !== 'error' && job.live !== 'lost') return '';
  const {runAgain} = await import('../../jobs/retry/run-again.ts');
  const again = runAgain(job);
  return 'command' in again ? again.command : again.instead;
}
