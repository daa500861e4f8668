import {AtomctlError} from '../errors.ts';
import type {Examination} from './examination.ts';
import type {Finding} from './finding.ts';
import {LOST_JOBS} from './mend-lost-jobs.ts';
import {ORPHANED_ROWS} from './mend-orphans.ts';
import type {Remedy} from './remedy.ts';

const REMEDIES: readonly Remedy[] = [LOST_JOBS, ORPHANED_ROWS];

export interface PlannedRemedy {
  remedy: Remedy;
  plan: string;
}

/** A remedy that was carried out, as `doctor --json` prints it. */
export interface Fixed {
  id: string;
  /** How many jobs or objects were mended. */
  count: number;
  message: string;
  /** Why it ended early; null where it did not. */
  error: string | null;
}

/** What can be mended of what was found. */
export async function planRemedies(
  examination: Examination,
  findings: readonly Finding[],
): Promise<PlannedRemedy[]> {
  const faulty = findings.filter(({state}) => state === 'warning' || state === 'problem').map(({id}) => id);
  const planned: PlannedRemedy[] = [];
  for (const remedy of REMEDIES) {
    if (!remedy.checks.some((id) => faulty.includes(id))) continue;
    const plan = await remedy.plan(examination);
    if (plan !== null) planned.push({remedy, plan});
  }
  return planned;
}

/**
 * Carries the remedies out. One that fails is told in its result and stops no other.
 * @param options.examination a fresh one: what was seen before the question was asked may have changed
 * @param options.signal ends it after the current step
 */
export async function applyRemedies(options: {
  remedies: readonly Remedy[];
  examination: Examination;
  by: string;
  signal: AbortSignal;
}): Promise<Fixed[]> {
  const fixed: Fixed[] = [];
  for (const remedy of options.remedies) {
    if (!options.signal.aborted) fixed.push(await apply(remedy, options));
  }
  return fixed;
}

async function apply(
  remedy: Remedy,
  {examination, by, signal}: {examination: Examination; by: string; signal: AbortSignal},
): Promise<Fixed> {
  let count = 0;
  let error: string | null = null;
  try {
    for await (const done of remedy.steps(examination, by)) {
      count += done;
      if (signal.aborted) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof AtomctlError)) throw thrown;
    error = [thrown.message, thrown.hint].filter(Boolean).join(' ');
  }
  return {id: remedy.id, count, message: remedy.report(count), error};
}
