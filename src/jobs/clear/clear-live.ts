import type {LiveReport} from '../live/live-state.ts';
import {type JobFilter, jobCondition} from '../model/filter.ts';
import type {LiveState} from '../model/job.ts';
import {type ClearSiteOptions, clearSite, type SiteCleared} from './clear.ts';

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
  const filter = provedFilter(plan.filter, live.states, report);
  const cleared = await clearSite({...options, plan: {...plan, filter}});
  if (cleared.interrupted || cleared.failure !== null) return cleared;
  const stay = (await idsLeft(options)).map((id) => {
    const state = report.verdicts.get(id)?.state ?? 'ended';
    return `${id} (${live.states.includes(state as LiveState) ? 'changed' : state})`;
  });
  return {...cleared, problems: [...cleared.problems, ...staySentence(live.states, stay)]};
}

/**
 * What is in one of the states now. A worker writes to the log of a job that it begins, so a log of another length under the row's
 * lock shows that the proof holds no longer; that of an executing job grows.
 */
function provedFilter(
  filter: JobFilter,
  states: readonly LiveState[],
  {verdicts, rows}: Pick<LiveReport, 'verdicts' | 'rows'>,
): JobFilter {
  const asked = new Set(filter.ids);
  const proved = rows.filter(
    ({id}) => asked.has(id) && states.includes(verdicts.get(id)?.state as LiveState),
  );
  return {
    ...filter,
    ids: proved.map(({id}) => id),
    statuses: (filter.statuses ?? ['running']).filter((status) => status === 'running'),
    ...(!states.includes('executing') && {logs: proved.map(({id, logLength}) => ({id, bytes: logLength}))}),
  };
}

async function idsLeft({database, plan}: ClearSiteOptions): Promise<number[]> {
  const {join, sql, values} = jobCondition(plan.filter);
  const rows = await database.query<{id: number}>(
    `SELECT job.id FROM job ${join} WHERE ${sql} AND job.id <= ? ORDER BY job.id`,
    [...values, plan.lastId],
  );
  return rows.map(({id}) => id);
}

const SHOWN = 20;

function staySentence(states: readonly LiveState[], stay: readonly string[]): string[] {
  if (stay.length === 0) return [];
  const jobs = stay.length === 1 ? '1 job that is' : `${stay.length} jobs that are`;
  const more = stay.length > SHOWN ? ` and ${stay.length - SHOWN} more` : '';
  return [`Kept ${jobs} no longer ${states.join(' or ')}: ${stay.slice(0, SHOWN).join(', ')}${more}.`];
}
