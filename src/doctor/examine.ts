import {AtomctlError} from '../errors.ts';
import type {Check} from './check.ts';
import {CHECKS} from './checks.ts';
import type {Examination} from './examination.ts';
import {type Finding, NotExamined, type Outcome} from './finding.ts';

/** Which checks to make, by their ids; absent: all. */
export interface Selection {
  only?: readonly string[];
  skip?: readonly string[];
}

export function isSelected(id: string, {only, skip}: Selection): boolean {
  return (only === undefined || only.includes(id)) && !skip?.includes(id);
}

/**
 * Makes the selected checks in the order of the table and tells what each found. A server that fails is a
 * finding, or the reason why a check was skipped.
 * @throws AtomctlError USAGE where a setting of the site is wrong
 */
export async function examine(examination: Examination, selection: Selection = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, check] of CHECKS.entries()) {
    if (!isSelected(check.id, selection)) continue;
    const {id, title} = check;
    const {state, evidence, consequence, remedy} = await outcomeOf(check, examination);
    findings.push({
      id,
      number: index + 1,
      state,
      title,
      evidence,
      consequence: consequence ?? null,
      remedy: remedy ?? null,
    });
  }
  return findings;
}

async function outcomeOf(
  check: Check,
  examination: Examination,
): Promise<Omit<Outcome, 'state'> & Pick<Finding, 'state'>> {
  try {
    return await check.examine(examination);
  } catch (error) {
    if (error instanceof NotExamined) return {state: 'skipped', evidence: error.message};
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    const consequence = 'This could not be examined.';
    return {state: 'warning', evidence: error.message, consequence, remedy: error.hint};
  }
}
