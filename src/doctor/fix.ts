import {formatBytes} from '../bytes.ts';
import {counted} from '../counted.ts';
import {AtomctlError, EXIT} from '../errors.ts';
import {clockFaults} from '../jobs/health/clock.ts';
import type {LiveVerdict} from '../jobs/live/live-state.ts';
import {changeRow, type RowFailure} from '../jobs/model/change-row.ts';
import {noteOfFix} from '../jobs/model/own-notes.ts';
import {orphanCounts, settledBefore} from './checks/orphans.ts';
import {findOrphans, removeOrphans} from './evidence/orphans.ts';
import {type RunningJob, runningJobsToFix} from './evidence/running-jobs.ts';
import {countStrayFiles, deleteStrayFiles} from './evidence/stray-files.ts';
import type {SiteEvidence} from './evidence.ts';
import {type Failure, type Finding, jobLabel, NotAvailable, someOf, wasMade} from './finding.ts';

export interface PlannedFix extends FixPlan {
  fix: Fix;
}

/** What a fix would do. */
export interface FixPlan {
  /** One sentence. */
  plan: string;
  /**
   * Works in steps, and does no more than the plan says. Each step checks again and is complete in itself; it yields how much it did.
   * The work may end between two steps.
   * @param site fresh evidence
   * @param by who fixes, as an error note names them: user@host
   */
  steps(site: SiteEvidence, by: string): AsyncIterable<number>;
}

/** A fix that was applied, as `doctor --json` prints it. */
export interface Fixed {
  id: string;
  /** How many jobs or objects were fixed. */
  count: number;
  message: string;
  /** Why it ended early; null if it did not. */
  error: string | null;
}

/** What can be fixed of what was found. */
export async function planFixes(site: SiteEvidence, findings: readonly Finding[]): Promise<PlannedFix[]> {
  const failed = findings.filter(({state}) => state === 'warning' || state === 'critical').map(({id}) => id);
  const planned: PlannedFix[] = [];
  const checked = new Set(findings.filter(({state}) => state !== 'skipped').map(({id}) => id));
  for (const fix of FIXES) {
    const plan = await planOf(fix).catch(nullIfNotAvailable);
    if (plan !== null) planned.push({fix, ...plan});
  }
  return planned;

  async function planOf(fix: Fix): Promise<FixPlan | null> {
    const called = fix.checks.some((id) => failed.includes(id));
    const mayBeCalled = fix.checks.some((id) => checked.has(id)) && (await fix.needsTime?.(site));
    return called || mayBeCalled ? fix.plan(site, checked) : null;
  }
}

/** What the fixes leave alone of what was found, a sentence each. */
export async function leftByFixes(site: SiteEvidence, findings: readonly Finding[]): Promise<string[]> {
  const failed = findings.filter(({state}) => state === 'warning' || state === 'critical').map(({id}) => id);
  const left: string[] = [];
  for (const {checks, leaves} of FIXES) {
    if (leaves === undefined || !checks.some((id) => failed.includes(id))) continue;
    const text = await leaves(site).catch(nullIfNotAvailable);
    if (text !== null) left.push(text);
  }
  return left;
}

/** Why no fix is planned: nothing has to be fixed, or checks that a fix needs were not possible. One sentence. */
export function whyNothing(findings: readonly Finding[]): string {
  const needed = new Set(FIXES.flatMap(({checks}) => checks));
  const unseen = findings.filter((finding) => needed.has(finding.id) && !wasMade(finding)).map(({id}) => id);
  if (unseen.length === 0) return 'Nothing to fix.';
  const checks = unseen.length === 1 ? `The check ${unseen[0]} was` : `The checks ${unseen.join(', ')} were`;
  return `${checks} not possible, so nothing was fixed.`;
}

/** A finding says so. */
function nullIfNotAvailable(error: unknown): null {
  if (error instanceof NotAvailable) return null;
  throw error;
}

/**
 * Applies the fixes. A failure is in the fix's result and does not stop the others.
 * @param options.site fresh evidence: what was found before the question may have changed
 * @param options.signal ends it after the current step
 */
export async function applyFixes(options: {
  fixes: readonly PlannedFix[];
  site: SiteEvidence;
  by: string;
  signal: AbortSignal;
}): Promise<Fixed[]> {
  const fixed: Fixed[] = [];
  for (const fix of options.fixes) {
    if (!options.signal.aborted) fixed.push(await apply(fix, options));
  }
  return fixed;
}

async function apply(
  {fix, steps}: PlannedFix,
  {site, by, signal}: {site: SiteEvidence; by: string; signal: AbortSignal},
): Promise<Fixed> {
  let count = 0;
  let error: string | null = null;
  try {
    for await (const done of steps(site, by)) {
      count += done;
      if (signal.aborted) break;
    }
  } catch (thrown) {
    const failure = failureOf(thrown);
    if (failure === null) throw thrown;
    error = [failure.message, failure.hint].filter(Boolean).join(' ');
  }
  return {id: fix.id, count, message: fix.report(count), error};
}

/** null if it is none of a server. */
function failureOf(thrown: unknown): Failure | null {
  if (thrown instanceof NotAvailable) return thrown.failure ?? thrown;
  return thrown instanceof AtomctlError ? thrown : null;
}

/**
 * Marks lost jobs as errors, as jobs:kill does. A lost job stays lost: no server has it, and AtoM never submits a
 * job twice. So fresh evidence of the jobs that the plan named is enough; under its lock each row must still say what it said then, its
 * log included.
 */
export const LOST_JOBS: Fix = {
  id: 'lost-jobs',
  checks: ['lost-jobs', 'serial-jobs'],
  needsTime: async (site) => [...(await site.live()).verdicts.values()].some(lacksOnlyTime),
  plan: async (site, checked) => {
    const all = await lostJobs(site);
    // The other check is of moves and imports alone.
    const lost = checked.has('lost-jobs') ? all : all.filter(({oneAtATime}) => oneAtATime);
    if (lost.length === 0) return null;
    return {
      plan: `${counted(lost.length, 'lost job')} would be marked as ${lost.length === 1 ? 'an error' : 'errors'}: ${someOf(lost.map(jobLabel))}.${await clockRemark(site, 'The finish time and the note use')}`,
      steps: async function* (fresh, by) {
        yield* markEach(fresh, named(lost, await lostJobs(fresh)), {as: 'error', by});
      },
    };
  },
  report: (count) => `${counted(count, 'lost job')} marked as ${count === 1 ? 'an error' : 'errors'}.`,
};

/** The clock is not sure: ten seconds later the job is proved lost, or is not. */
function lacksOnlyTime({likely, needsTime}: LiveVerdict): boolean {
  return needsTime && likely === 'lost';
}

async function lostJobs(site: SiteEvidence): Promise<RunningJob[]> {
  return (await runningJobsToFix(site)).filter(({fault}) => fault === 'lost');
}

/** Those of the jobs that a plan named: the answer to its question is for them alone. */
function named(planned: readonly RunningJob[], jobs: readonly RunningJob[]): RunningJob[] {
  const ids = new Set(planned.map(({id}) => id));
  return jobs.filter(({id}) => ids.has(id));
}

/** Finished jobs whose log shows no error. AtoM before 2.7 marks no error lines: nothing is known of their jobs. */
async function finishedJobs(site: SiteEvidence): Promise<RunningJob[]> {
  const jobs = await runningJobsToFix(site);
  return jobs.filter(({fault, failed, marksErrors}) => fault === 'finished' && marksErrors && !failed);
}

/** Marks jobs as completed whose work is done and whose row was not saved. */
export const FINISHED_JOBS: Fix = {
  id: 'finished-jobs',
  checks: ['finished-jobs'],
  plan: async (site) => {
    const finished = await finishedJobs(site);
    if (finished.length === 0) return null;
    return {
      plan: `${counted(finished.length, 'finished job')} would be marked as completed: ${someOf(finished.map(jobLabel))}.${await clockRemark(site, 'The note uses')}`,
      steps: async function* (fresh, by) {
        yield* markEach(fresh, named(finished, await finishedJobs(fresh)), {as: 'completed', by});
      },
    };
  },
  report: (count) => `${counted(count, 'finished job')} marked as completed.`,
};

/**
 * Finish times and notes have the time of the zone that atomctl uses: the clock of AtoM is not known better. A finished job ended when
 * its log says.
 */
async function clockRemark(site: SiteEvidence, subject: string): Promise<string> {
  const faults = await clockFaults({...site.access, database: await site.database()});
  if (faults.length === 0) return '';
  return ` The clocks of AtoM and atomctl differ (atomctl doctor --check clock). ${subject} the timezone of atomctl, ${site.access.time.zone}. If it is wrong, give --timezone.`;
}

async function* markEach(
  site: SiteEvidence,
  jobs: readonly RunningJob[],
  {as, by}: {as: 'completed' | 'error'; by: string},
): AsyncGenerator<number> {
  const {time, now} = site.access;
  const database = await site.database();
  const failures: string[] = [];
  for (const {id, logLength, fault, ...job} of jobs) {
    const nowWall = time.toWall(now());
    const to = {as, note: noteOfFix(as, {by, nowWall}), culture: 'en', nowWall};
    const finishedAt = fault === 'finished' ? job.finishedAt : null;
    const change = {id, seen: {status: 'running', logLength}, to: {...to, finishedAt}} as const;
    const row = await changeRow(database, change).catch(failedAlone);
    if (row.outcome === 'unknown') throw row.error;
    if (row.outcome === 'failed') failures.push(`Job ${id} was not marked: ${row.error.message}`);
    yield row.outcome === 'done' ? 1 : 0;
  }
  if (failures.length > 0) throw new AtomctlError('FAILED', someOf(failures));
}

/** A row that cannot be changed (a trigger, a lock) does not keep the others from being changed. */
function failedAlone(error: unknown): RowFailure {
  if (error instanceof AtomctlError && error.exitStatus === EXIT.failed) return {outcome: 'failed', error};
  throw error;
}

/** Removes what DELETE FROM job left behind. */
export const ORPHANED_ROWS: Fix = {
  id: 'orphans',
  checks: ['orphans'],
  plan: async (site) => {
    const before = settledBefore(site);
    const orphans = await findOrphans(await site.database(), before);
    if (orphans.objects === 0) return null;
    return {
      plan: `${orphanCounts(orphans)} of deleted jobs would be deleted.`,
      steps: async function* (fresh) {
        yield* removeOrphans(await fresh.database(), before);
      },
    };
  },
  report: (count) =>
    `${counted(count, 'orphaned object')} deleted, with everything that belonged to ${count === 1 ? 'it' : 'them'}.`,
};

/** Deletes the files of jobs that are gone. */
export const STRAY_DOWNLOADS: Fix = {
  id: 'stray-downloads',
  checks: ['stray-downloads'],
  question: 'Delete these files? (y/N)',
  plan: async (site) => {
    const {count, bytes, named} = await countStrayFiles(site);
    if (count === 0) return null;
    return {
      plan: `${counted(count, 'file')} (${formatBytes(bytes)}) of deleted jobs in ${site.access.downloads}/jobs, older than a day, would be deleted.`,
      steps: (fresh) => deleteStrayFiles(fresh, named),
    };
  },
  leaves: async (site) => {
    const {young} = await countStrayFiles(site);
    if (young === 0) return null;
    return `${counted(young, 'file')} in ${site.access.downloads}/jobs that ${young === 1 ? 'belongs' : 'belong'} to no job ${young === 1 ? 'is' : 'are'} younger than a day and will stay.`;
  },
  report: (count) => `${counted(count, 'file')} of deleted jobs deleted.`,
};

/** Something that the doctor fixes without harm. */
export interface Fix {
  id: string;
  /** It applies if one of these checks found a problem. */
  checks: readonly string[];
  /** Asked for it alone; absent: one question for all such fixes. */
  question?: string;
  /** True if it may be called for although its checks are ok: a proof lacks only time. */
  needsTime?(site: SiteEvidence): Promise<boolean>;
  /**
   * What it would do; null if there is nothing to do.
   * @param checked the checks that were made: what only others would name is left alone
   */
  plan(site: SiteEvidence, checked: ReadonlySet<string>): Promise<FixPlan | null>;
  /** What it leaves alone for now, and why, one sentence; null if nothing. */
  leaves?(site: SiteEvidence): Promise<string | null>;
  /** What was done, one sentence. */
  report(count: number): string;
}

const FIXES: readonly Fix[] = [LOST_JOBS, FINISHED_JOBS, ORPHANED_ROWS, STRAY_DOWNLOADS];
