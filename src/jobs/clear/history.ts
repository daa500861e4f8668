import {counted} from '../../counted.ts';
import {deletesDifferByRow} from '../../mysql/delete-rules.ts';
import {type ClearOptions, rehearseDeletion} from './clear-rows.ts';
import {FIRST_IDS, matchingNow} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';
import {waitForReplicas} from './replica-lag.ts';

/** Saves the history of the jobs to clear; only what is in the file may then go. @returns the plan for the rest of the clear */
export type SaveHistory = (plan: ClearPlan) => Promise<ClearPlan>;

/**
 * Saves the history if this is wanted and not done yet: after the last check that may refuse the clear, before the first change. An
 * interrupted clear saves nothing.
 * @returns the options for the rest of the clear
 * @throws AtomctlError REFUSED if the first jobs cannot be deleted; what `history` throws
 */
export async function saveHistory<T extends ClearOptions & {history?: SaveHistory}>(options: T): Promise<T> {
  const {history, database, plan, batchSize, replicas, signal, checkLock} = options;
  if (history === undefined || plan.ids.length === 0) return {...options, history: undefined};
  if (replicas !== null) await waitForReplicas(replicas, signal);
  if (signal.aborted) return options;
  await checkLock();
  const first = plan.ids.subarray(0, batchSize ?? FIRST_IDS);
  const ids = await matchingNow(database, plan.filter, first);
  if (ids.length > 0) await rehearseDeletion(database, ids, {alike: !(await deletesDifferByRow(database))});
  return {...options, history: undefined, plan: await history(plan)};
}

/** How to clear the rest, as a part of a sentence. */
export function againWith({exported}: Pick<ClearPlan, 'exported'>): string {
  return exported?.needsOtherName === true
    ? 'run the command again with another name for --export'
    : 'run the command again';
}

const SHOWN = 20;

/** Says which jobs stay because of what became of them after the question. */
export function keptSentences(
  {changedSince, begunSince}: {changedSince: ReadonlySet<number>; begunSince: ReadonlySet<number>},
  plan: ClearPlan,
): string[] {
  const kept = (ids: ReadonlySet<number>, what: string) => {
    const more = ids.size > SHOWN ? ` and ${ids.size - SHOWN} more` : '';
    const them = ids.size === 1 ? 'it' : 'them';
    return `Kept ${counted(ids.size, 'job')} ${what}: ${[...ids].slice(0, SHOWN).join(', ')}${more}. To clear ${them}, ${againWith(plan)}.`;
  };
  return [
    ...(changedSince.size > 0 ? [kept(changedSince, 'whose status changed after the export')] : []),
    ...(begunSince.size > 0 ? [kept(begunSince, 'that a worker began after the question')] : []),
  ];
}
