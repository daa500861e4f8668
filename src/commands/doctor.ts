import {Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.ts';
import {auditFlag, caller, fixRecords} from '../cli/change/audit-log.ts';
import {confirmationFlags} from '../cli/flags/shared-flags.ts';
import {unlessDryRun, withFlag} from '../cli/read-only.ts';
import {type Answer, allSitesFlag} from '../cli/site/all-sites.ts';
import {siteAccess} from '../cli/site/site-access.ts';
import {requireAnswerer} from '../cli/terminal/confirm.ts';
import {interruptibly} from '../cli/terminal/interrupt.ts';
import {collectSiteEvidence, type SiteEvidence} from '../doctor/evidence.ts';
import {type Finding, overallStatus} from '../doctor/finding.ts';
import {applyFixes, type Fixed, leftByFixes, type PlannedFix, planFixes, whyNothing} from '../doctor/fix.ts';
import {CHECK_IDS, runChecks, type Selection} from '../doctor/run-checks.ts';
import {AtomctlError, EXIT} from '../errors.ts';
import {renderFindings, renderFixed, renderTally} from '../render/doctor.ts';
import {sanitizeLine} from '../render/sanitize.ts';
import type {Screen} from '../render/screen.ts';

function checkFlag(summary: string) {
  return Flags.string({
    summary,
    helpValue: 'ID',
    options: CHECK_IDS,
    delimiter: ',',
    multiple: true,
    multipleNonGreedy: true,
  });
}

export default class Doctor extends BaseCommand<typeof Doctor> {
  static override changes = (flags: Record<string, unknown>) => withFlag('fix')(flags) && unlessDryRun(flags);
  static override summary =
    'Check the jobs, the queue, the workers and the site for problems; --fix makes the safe changes.';
  static override description =
    `Checks the database, the Gearman servers, the workers and their unit, the jobs, and what jobs have left behind, as the troubleshooting page of AtoM's manual does. Each finding shows the evidence, the consequence and the fix. If a check is not possible, it is skipped with the reason. --fix shows its changes, asks, makes them, and checks again; --json then has the findings of the second check. --fix --dry-run only shows its changes.

Exit status: 0 every finding is ok or skipped, or with --dry-run, 1 a warning or a critical finding, or --fix failed, 2 usage error (nothing changed), 5 declined or another atomctl holds the lock of the site, 130 interrupted.`;
  static override examples = [
    {description: 'Run all checks', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Show only problems, for cron',
      command: '<%= config.bin %> <%= command.id %> --quiet --skip missing-downloads',
    },
    {
      description: 'Mark lost jobs as errors and remove orphaned rows',
      command: '<%= config.bin %> <%= command.id %> --fix --yes',
    },
  ];
  static override flags = {
    ...confirmationFlags,
    'stuck-after': Flags.custom<number>({
      summary: 'A job counts as stuck if its log is silent for longer than this: 30m, 1h, 2d.',
      helpValue: 'AGE',
      default: 3600,
      defaultHelp: async () => '1h',
      parse: async (text) => (await import('../atom/when.ts')).parseAge(text, '--stuck-after'),
    })(),
    check: checkFlag('Run only this check.'),
    skip: checkFlag('Skip this check.'),
    fix: Flags.boolean({
      summary:
        'Make the safe changes: mark lost jobs as errors and finished jobs as completed, remove orphaned rows; after a second question, delete files of deleted jobs.',
    }),
    'dry-run': Flags.boolean({
      summary: 'Show what --fix would change, and change nothing.',
      dependsOn: ['fix'],
    }),
    ...auditFlag,
    all: Flags.boolean({summary: 'On a terminal, also show the checks that are ok, not only their number.'}),
    'all-sites': allSitesFlag(['fix']),
  };

  async run(): Promise<void> {
    const {flags} = this;
    const selection = {only: flags.check, skip: flags.skip};
    const stuckAfterSeconds = flags['stuck-after'];
    if (flags.fix) {
      await this.#fix(selection, stuckAfterSeconds);
      return;
    }
    await this.answer(async (context, notice) => {
      const site = collectSiteEvidence(await siteAccess(context, {stuckAfterSeconds, notice}));
      // Who names a check wants to see it.
      const all = flags.all || flags.check !== undefined;
      return findingsAnswer(await runChecks(site, selection), {quiet: flags.quiet, all});
    }, flags['all-sites']);
  }

  async #fix(selection: Selection, stuckAfterSeconds: number): Promise<void> {
    const {flags} = this;
    const assumeYes = flags.yes || flags['no-confirmation'] || flags['dry-run'];
    requireAnswerer({...this.io, assumeYes});
    const access = await siteAccess(this.context, {
      stuckAfterSeconds,
      notice: (text) => this.notice(text),
    });
    const site = collectSiteEvidence(access);
    const found = await runChecks(site, selection);
    const planned = await planFixes(site, found);
    for (const text of await leftByFixes(site, found)) this.notice(text);
    if (flags['dry-run']) return this.#presentPlan(found, planned);
    if (planned.length === 0) {
      this.notice(whyNothing(found));
      await this.answer(async () => findingsAnswer(found, flags));
      return;
    }
    if (!this.jsonEnabled()) this.io.stdout.write(findingsText(found, this.screen, flags));
    const {fixed, interrupted} = await this.#apply(planned, site, assumeYes);
    const left = await runChecks(collectSiteEvidence(access), selection);
    await this.presentSentences(
      {status: overallStatus(left), findings: left, fixed},
      () => renderFixed(fixed, this.screen) + renderTally(left, this.screen),
    );
    this.exitWith(findingsExitStatus(left));
    if (fixed.some(({error}) => error !== null)) this.exitWith(EXIT.failed);
    if (interrupted) this.exitWith(EXIT.interrupted);
  }

  /** What would be fixed, below the findings. */
  #presentPlan(findings: Finding[], planned: readonly PlannedFix[]): Promise<void> {
    const plans = planned.map(({fix: {id}, plan}) => ({id, plan}));
    const document = {status: overallStatus(findings), findings, fixed: [], planned: plans};
    return this.presentSentences(document, () => {
      const lines = plans.map(({plan}) => `${sanitizeLine(plan)}\n`).join('') || `${whyNothing(findings)}\n`;
      return `${findingsText(findings, this.screen, this.flags)}\n${lines}`;
    });
  }

  /**
   * Says on stderr what would be fixed, and asks, once for files and once for all else. One that is declined leaves the others.
   * @throws AtomctlError DECLINED if all are, INTERRUPTED
   */
  async #agreedFixes(planned: readonly PlannedFix[], assumeYes: boolean): Promise<PlannedFix[]> {
    const agreed: PlannedFix[] = [];
    let declined: AtomctlError | null = null;
    for (const [question, group] of byQuestion(planned)) {
      if (!assumeYes || !this.flags.quiet) for (const {plan} of group) this.tell(`${sanitizeLine(plan)}\n`);
      try {
        await this.confirm({question, assumeYes});
        agreed.push(...group);
      } catch (error) {
        if (!(error instanceof AtomctlError) || error.code !== 'DECLINED') throw error;
        declined = error;
      }
    }
    if (agreed.length === 0 && declined !== null) throw declined;
    return agreed;
  }

  /**
   * Says on stderr what will be fixed, asks, and fixes.
   * @throws AtomctlError DECLINED or INTERRUPTED at the question; LOCKED if another run is changing the site
   */
  async #apply(
    planned: readonly PlannedFix[],
    site: SiteEvidence,
    assumeYes: boolean,
  ): Promise<{fixed: Fixed[]; interrupted: boolean}> {
    const fixes = await this.#agreedFixes(planned, assumeYes);
    return this.change({
      attempt: {fixes: fixes.map(({fix}) => fix.id)},
      work: () =>
        interruptibly(async (signal) => ({
          // What was seen before the question may have changed: the evidence is collected again.
          fixed: await applyFixes({
            fixes,
            site: collectSiteEvidence(site.access),
            by: caller(),
            signal,
          }),
          interrupted: signal.aborted,
        })),
      changes: ({fixed}) => fixRecords(fixed),
    });
  }
}

/** Those that share a question, in order. */
function byQuestion(planned: readonly PlannedFix[]): Map<string, PlannedFix[]> {
  const groups = new Map<string, PlannedFix[]>();
  for (const one of planned) {
    const question = one.fix.question ?? 'Apply these fixes? (y/N)';
    groups.set(question, [...(groups.get(question) ?? []), one]);
  }
  return groups;
}

/** The answer for a site in which nothing was fixed. */
function findingsAnswer(findings: Finding[], flags: Shown): Answer {
  return {
    document: {status: overallStatus(findings), findings, fixed: []},
    text: (screen) => findingsText(findings, screen, flags),
    exitStatus: findingsExitStatus(findings),
  };
}

interface Shown {
  quiet: boolean;
  all: boolean;
}

/** The findings and their tally; under --quiet, only what needs attention. */
function findingsText(findings: readonly Finding[], screen: Screen, {quiet, all}: Shown): string {
  if (!quiet) {
    const text = renderFindings(findings, screen, {foldOk: screen.isTTY && !all});
    return `${text}\n${renderTally(findings, screen)}`;
  }
  return renderFindings(
    findings.filter(({state}) => state === 'warning' || state === 'critical'),
    screen,
  );
}

function findingsExitStatus(findings: readonly Finding[]): number {
  return overallStatus(findings) === 'ok' ? EXIT.ok : EXIT.failed;
}
