import {executingJobs, type LiveReport, placesOf, stateIn} from './live-state.ts';

/**
 * Which of these jobs still execute: a worker that has ended its job may have begun another by now. Gearman is asked for those
 * that it executed by their key; of the others, the states that were gathered again count, too. One that Gearman has as waiting,
 * since its worker lost the connection, may show by its process.
 * @throws AtomctlError as GearmanServer's requests do
 */
export async function stillExecuting(
  planned: LiveReport,
  ids: ReadonlySet<number>,
  now: LiveReport,
): Promise<Set<number>> {
  const still = new Set<number>();
  for (const id of ids) {
    const places = placesOf(planned, id);
    if (!places.some(({running}) => running) && stateIn(now, id) === 'executing') still.add(id);
    for (const {server, unique} of places)
      if ((await server.statusOfUniqueKeys([unique]))[0]!.running) still.add(id);
  }
  return still;
}

/**
 * Whether a job executes that did not when the plan was made, and that nobody named.
 * @param named the jobs that are to end anyway
 */
export function anotherBegan(planned: LiveReport, now: LiveReport, named: Iterable<number>): boolean {
  const known = new Set([...executingJobs(planned).map(({id}) => id), ...named]);
  return executingJobs(now).some(({id}) => !known.has(id));
}
