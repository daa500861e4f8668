import type {JobPresence} from '../../gearman/server.ts';
import type {NamedJob, PlannedStop} from '../model/worker-control.ts';
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

/** Whether a worker that is to stop may have begun another job since: one is not free while Gearman says that it has a job. */
export function mayHaveBegun(
  now: LiveReport,
  {others}: Pick<PlannedStop, 'others'>,
  executing: ReadonlySet<number>,
): boolean {
  const isBusy = (id: number) => placesOf(now, id).some(({running}) => running);
  return others === true || ![...executing].every(isBusy);
}

/**
 * Whether a job executes that did not when the workers to stop were found, and that nobody named.
 * @param options.named all that are to end anyway
 * @param options.endedNow the jobs that execute although their rows have ended
 */
export function anotherBegan(
  now: LiveReport,
  {known}: Pick<PlannedStop, 'known'>,
  {named, endedNow}: {named: ReadonlySet<number>; endedNow: readonly NamedJob[]},
): boolean {
  return [...executingJobs(now), ...endedNow].some(({id}) => !known.has(id) && !named.has(id));
}
