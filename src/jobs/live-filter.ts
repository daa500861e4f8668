import type {JobFilter} from './filter.ts';
import type {LiveReport} from './live-state.ts';

/**
 * The filter with `live` turned into what a database can answer: the ids of the running jobs in one of the wanted
 * states. A filter without `live` comes back as it is, and nothing is asked.
 */
export async function settleLiveFilter(
  filter: JobFilter,
  report: () => Promise<LiveReport>,
): Promise<JobFilter> {
  const {live: wanted, ...rest} = filter;
  if (wanted === undefined) return rest;
  const {rows, states} = await report();
  const ids = rows
    .map(({id}) => id)
    .filter((id) => wanted.includes(states.get(id)!) && (rest.ids?.includes(id) ?? true));
  return {...rest, ids};
}
