import type {LiveReport} from '../live/live-state.ts';
import type {LiveState} from '../model/job.ts';
import {type ClearSiteOptions, clearSite, type SiteCleared} from './clear.ts';
import {hasId, jobIds, matchingNow} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';

/** The live states of the jobs to clear, and how they are found out. */
export interface WantedStates {
  states: readonly LiveState[];
  report: () => Promise<LiveReport>;
}

/**
 * Clears a site as clearSite does. If the jobs were chosen by their live state, this is proved again first: a job may have begun or
 * ended while the question was open. Jobs that are in another state by then, or change before their row goes, stay; a sentence in
 * `problems` names them.
 * @param live null if the live state does not matter
 * @throws AtomctlError if nothing was changed
 */
export async function clearLive(options: ClearSiteOptions, live: WantedStates | null): Promise<SiteCleared> {
  if (live === null) return clearSite(options);
  const {plan} = options;
  const report = await live.report();
  const cleared = await clearSite({...options, plan: provedPlan(plan, live.states, report)});
  if (cleared.interrupted || cleared.failure !== null) return cleared;
  const stay = (await matchingNow(options.database, plan.filter, plan.ids)).map((id) => {
    const state = report.verdicts.get(id)?.state ?? 'ended';
    return `${id} (${live.states.includes(state as LiveState) ? 'changed' : state})`;
  });
  return {...cleared, problems: [...cleared.problems, ...staySentence(live.states, stay)]};
}

/**
 * What is in one of the states now. A worker writes to the log of a job that it begins, so a log of another length under the row's
 * lock shows that the proof holds no longer; that of an executing job grows.
 */
function provedPlan(
  plan: ClearPlan,
  states: readonly LiveState[],
  {verdicts, rows}: Pick<LiveReport, 'verdicts' | 'rows'>,
): ClearPlan {
  const {filter} = plan;
  const proved = rows.filter(
    ({id}) => hasId(plan.ids, id) && states.includes(verdicts.get(id)?.state as LiveState),
  );
  return {
    ...plan,
    ids: jobIds(proved.map(({id}) => id)),
    filter: {
      ...filter,
      statuses: (filter.statuses ?? ['running']).filter((status) => status === 'running'),
      ...(!states.includes('executing') && {logs: proved.map(({id, logLength}) => ({id, bytes: logLength}))}),
    },
  };
}

const SHOWN = 20;

function staySentence(states: readonly LiveState[], stay: readonly string[]): string[] {
  if (stay.length === 0) return [];
  const jobs = stay.length === 1 ? '1 job that is' : `${stay.length} jobs that are`;
  const more = stay.length > SHOWN ? ` and ${stay.length - SHOWN} more` : '';
  return [`Kept ${jobs} no longer ${states.join(' or ')}: ${stay.slice(0, SHOWN).join(', ')}${more}.`];
}
