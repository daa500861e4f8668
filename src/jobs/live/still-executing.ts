import {type LiveReport, placesOf, stateIn} from './live-state.ts';

/**
 * Which of these jobs still execute: a worker that has ended its job may have begun another by now. Gearman is asked for those
 * whose key it knows; the states of the others are looked at again.
 * @param again gathers the states again
 * @throws AtomctlError as GearmanServer's requests do, or for the database
 */
export async function stillExecuting(
  report: LiveReport,
  ids: ReadonlySet<number>,
  again: () => Promise<LiveReport>,
): Promise<Set<number>> {
  const still = new Set<number>();
  const unplaced: number[] = [];
  for (const id of ids) {
    const places = placesOf(report, id);
    if (places.length === 0) unplaced.push(id);
    for (const {server, unique} of places)
      if ((await server.statusOfUniqueKeys([unique]))[0]!.running) still.add(id);
  }
  if (unplaced.length === 0) return still;
  const now = await again();
  for (const id of unplaced) if (stateIn(now, id) === 'executing') still.add(id);
  return still;
}
