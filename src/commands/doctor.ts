import {BaseCommand} from '../cli/base-command.ts';
import {requireAnswerer} from '../cli/confirm.ts';
import {
  applyPlannedFixes,
  diagnoseSite,
  doctorFlags,
  type FixOptions,
  findingsAnswer,
  findingsExitStatus,
  findingsText,
  selection,
  siteAccess,
} from '../cli/doctor.ts';
import {collectSiteEvidence} from '../doctor/evidence.ts';
import {overallStatus} from '../doctor/finding.ts';
import {planFixes} from '../doctor/fix.ts';
import {runChecks} from '../doctor/run-checks.ts';
import {EXIT} from '../errors.ts';
import {renderFixed, renderTally} from '../render/doctor.ts';

export default class Doctor extends BaseCommand<typeof Doctor> {
  static override summary =
    "The troubleshooting page of AtoM's manual as one command; --fix makes the safe changes.";
  static override description =
    `Looks at the database, the Gearman servers, the workers and their unit, the jobs, and what jobs have left behind. Each finding says what was seen, what follows, and what fixes it. What cannot be looked at is skipped with the reason. --fix says what it would do, asks, does it, and looks again: the findings under --json are those after it.

Exit status: 0 no problem (there may be warnings), 1 a problem, or --fix failed, 2 usage error (nothing touched), 5 declined or another run holds the site's lock, 130 interrupted.`;
  static override examples = [
    {description: 'What is wrong with the jobs?', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Only what needs attention, for cron',
      command: '<%= config.bin %> <%= command.id %> --quiet --skip missing-downloads',
    },
    {
      description: 'Mark lost jobs as errors and remove orphaned rows',
      command: '<%= config.bin %> <%= command.id %> --fix --yes',
    },
  ];
  static override flags = doctorFlags;

  async run(): Promise<void> {
    if (this.flags.fix) await this.#fix();
    else await this.answer((context) => diagnoseSite(context, this.flags), this.flags['all-sites']);
  }

  async #fix(): Promise<void> {
    const {flags} = this;
    const {stdin, stdout} = process;
    const assumeYes = flags.yes || flags['no-confirmation'];
    requireAnswerer({assumeYes, stdin, stdout});
    const access = await siteAccess(this.context, flags);
    const site = collectSiteEvidence(access);
    const chosen = selection(flags);
    const found = await runChecks(site, chosen);
    const planned = await planFixes(site, found);
    if (planned.length === 0) {
      this.notice('Nothing to fix.');
      await this.answer(async () => findingsAnswer(found, flags));
      return;
    }
    if (!this.jsonEnabled()) stdout.write(findingsText(found, this.screen, flags));
    const change: FixOptions['change'] = (options) => this.change(options);
    const {fixed, interrupted} = await applyPlannedFixes(planned, {
      site,
      assumeYes,
      quiet: flags.quiet,
      change,
    });
    const left = await runChecks(collectSiteEvidence(access), chosen);
    await this.present(
      {status: overallStatus(left), findings: left, fixed},
      () => renderFixed(fixed, this.screen) + renderTally(left, this.screen),
    );
    this.exitWith(findingsExitStatus(left));
    if (fixed.some(({error}) => error !== null)) this.exitWith(EXIT.failed);
    if (interrupted) this.exitWith(EXIT.interrupted);
  }
}
