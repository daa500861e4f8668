import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {collectSiteEvidence, type SiteAccess, type SiteEvidence} from '../doctor/evidence.ts';
import {type Finding, overallStatus} from '../doctor/finding.ts';
import {applyFixes, type Fixed, type PlannedFix} from '../doctor/fix.ts';
import {CHECK_IDS, runChecks, type Selection} from '../doctor/run-checks.ts';
import {EXIT} from '../errors.ts';
import {renderFindings, renderTally} from '../render/doctor.ts';
import {sanitizeLine} from '../render/sanitize.ts';
import type {Screen} from '../render/screen.ts';
import {type Answer, allSitesFlag} from './all-sites.ts';
import {auditFlag, caller, fixRecords} from './change/audit-log.ts';
import type {ChangeOptions} from './change/change-site.ts';
import {confirm} from './confirm.ts';
import type {Context} from './context.ts';
import {confirmationFlags} from './flags/shared-flags.ts';
import {interruptibly} from './interrupt.ts';
import {liveFacts} from './live.ts';
import {serviceManager} from './worker/unit-flags.ts';

/** What to look at, and what to do about it. */
export const doctorFlags = {
  ...confirmationFlags,
  'stuck-after': Flags.custom<number>({
    summary: 'A job whose log has been silent for longer counts as stuck: 30m, 1h, 2d.',
    helpValue: 'AGE',
    default: 3600,
    defaultHelp: async () => '1h',
    parse: async (text) => (await import('../atom/site-time.ts')).parseAge(text, '--stuck-after'),
  })(),
  check: checkFlag('Make this check alone.'),
  skip: checkFlag('Leave this check out.'),
  fix: Flags.boolean({
    summary: 'Make the safe changes: lost jobs are marked as errors, orphaned rows removed.',
  }),
  ...auditFlag,
  'all-sites': allSitesFlag(['fix']),
};

function checkFlag(summary: string) {
  return Flags.string({
    summary,
    helpValue: 'ID',
    options: CHECK_IDS,
    multiple: true,
    multipleNonGreedy: true,
  });
}

/** Which checks the flags choose. */
export function selection(flags: {check?: string[]; skip?: string[]}): Selection {
  return {only: flags.check, skip: flags.skip};
}

/** The site as the doctor is to see it. @throws AtomctlError USAGE where a setting is wrong */
export async function siteAccess(context: Context, flags: {'stuck-after': number}): Promise<SiteAccess> {
  const site = await context.site();
  const [root, prefix, workerTypes, downloads, time, manager, {readStartLimit}] = await Promise.all([
    site.root(),
    site.functionPrefix(),
    site.workerTypes(),
    site.downloads(),
    context.time(),
    serviceManager(context, {'user-manager': false}),
    import('../worker/start-limit.ts'),
  ]);
  return {
    database: () => context.database(),
    databaseConfig: async () => (await site.database()).value,
    servers: () => context.servers(),
    manager,
    readLimit: (unit) => readStartLimit(unit, manager.scope, context.now()),
    time,
    now: context.now,
    ...(await liveFacts(context)),
    recheck: {wait: (milliseconds) => sleep(milliseconds), firstSeen: new Map()},
    root: root.value,
    prefix: prefix.value,
    workerTypes: workerTypes.value,
    downloads,
    stuckAfterSeconds: flags['stuck-after'],
  };
}

export interface FixOptions {
  site: SiteEvidence;
  assumeYes: boolean;
  quiet: boolean;
  /** Makes the change under the site's lock, and puts it on record. */
  change: (options: Pick<ChangeOptions<FixResult>, 'attempt' | 'work' | 'changes'>) => Promise<FixResult>;
}

export interface FixResult {
  fixed: Fixed[];
  interrupted: boolean;
}

interface DiagnosisFlags {
  'stuck-after': number;
  check?: string[];
  skip?: string[];
  quiet: boolean;
}

/** Examines a site and changes nothing. @throws AtomctlError USAGE where a setting is wrong */
export async function diagnoseSite(context: Context, flags: DiagnosisFlags): Promise<Answer> {
  const site = collectSiteEvidence(await siteAccess(context, flags));
  return findingsAnswer(await runChecks(site, selection(flags)), flags);
}

/** What is said of a site where nothing was fixed. */
export function findingsAnswer(findings: Finding[], flags: {quiet: boolean}): Answer {
  return {
    document: {status: overallStatus(findings), findings, fixed: []},
    text: (screen) => findingsText(findings, screen, flags),
    exitStatus: findingsExitStatus(findings),
  };
}

/** The findings and their tally; under --quiet only what needs attention. */
export function findingsText(
  findings: readonly Finding[],
  screen: Screen,
  {quiet}: {quiet: boolean},
): string {
  if (!quiet) return `${renderFindings(findings, screen)}\n${renderTally(findings, screen)}`;
  return renderFindings(
    findings.filter(({state}) => state === 'warning' || state === 'problem'),
    screen,
  );
}

export function findingsExitStatus(findings: readonly Finding[]): number {
  return overallStatus(findings) === 'problem' ? EXIT.failed : EXIT.ok;
}

/**
 * Says on stderr what would be fixed, asks, and fixes.
 * @throws AtomctlError DECLINED, INTERRUPTED at the question; LOCKED where other work is changing the site
 */
export async function applyPlannedFixes(
  planned: readonly PlannedFix[],
  {site, assumeYes, quiet, change}: FixOptions,
): Promise<FixResult> {
  const {stdin, stdout, stderr} = process;
  if (!assumeYes || !quiet) for (const {plan} of planned) stderr.write(`${sanitizeLine(plan)}\n`);
  await confirm({question: 'Apply these fixes? (y/N)', assumeYes, stdin, stdout, stderr});
  const remedies = planned.map(({remedy}) => remedy);
  return change({
    attempt: {remedies: remedies.map(({id}) => id)},
    work: () =>
      interruptibly(async (signal) => ({
        fixed: await applyFixes({
          remedies,
          site: collectSiteEvidence(site.access),
          by: caller(),
          signal,
        }),
        interrupted: signal.aborted,
      })),
    changes: ({fixed}) => fixRecords(fixed),
  });
}
