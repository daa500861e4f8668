import type {JobPresence} from '../../gearman/server.ts';
import {executingJobs, type LiveReport, placesOf, stateIn} from './live-state.ts';

/**
 * Which of these jobs still execute: a worker that has ended its job may have begun another by now. Gearman is asked for those
 * that it executed by their key: one that it does not know any more has ended. Of the others, the states that were gathered again
 * count, too: one that it has as waiting, since its worker lost the connection, may show by its process.
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
    let hasEnded = false;
    for (const {server, unique, running: ran} of places) {
      const [{known, running}] = (await server.statusOfUniqueKeys([unique])) as [JobPresence];
      if (running) still.add(id);
      if (ran && !known) hasEnded = true;
    }
    if (!hasEnded && stateIn(now, id) === 'executing') still.add(id);
  }
  return still;
}

/**
 * Whether a worker that is to stop may have begun a job that did not execute when the plan was made, and that nobody named.
 * @param options.others whether some of the workers are not known to execute one of the jobs that are to end
 * @param options.executing the jobs whose workers are to stop
 * @param options.named all that are to end anyway
 */
export function anotherBegan(
  planned: LiveReport,
  now: LiveReport,
  {others, executing, named}: {others: boolean; executing: ReadonlySet<number>; named: Iterable<number>},
): boolean {
  // A worker is not free for another job while Gearman says that it has one.
  const isBusy = (id: number) => placesOf(now, id).some(({running}) => running);
  if (!others && [...executing].every(isBusy)) return false;
  const known = new Set([...executingJobs(planned).map(({id}) => id), ...named]);
  return executingJobs(now).some(({id}) => !known.has(id));
}
