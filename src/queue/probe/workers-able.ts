/** What workers do while jobs are held: a worker that becomes free would be handed one. */
import type {GearmanServer} from '../../gearman/server.ts';
import {claimsToBeProbe} from './probe-id.ts';

/** How many workers can do a function, and whether all have a job: a server says what runs, not in which worker. */
export async function ableWorkers(
  server: GearmanServer,
  name: string,
): Promise<{able: number; allBusy: boolean}> {
  const connections = (await server.connections()).filter(({id}) => !claimsToBeProbe(id));
  const able = connections.filter(({functions}) => functions.includes(name));
  const theirs = new Set(able.flatMap(({functions}) => functions));
  const running = (await server.status())
    .filter((row) => theirs.has(row.function))
    .reduce((sum, row) => sum + row.running, 0);
  const mayRunThem = connections.filter(({functions}) => functions.some((each) => theirs.has(each)));
  return {able: able.length, allBusy: running >= mayRunThem.length};
}

export async function executingHandles(server: GearmanServer): Promise<string[]> {
  const handles = (await server.jobs()).map(({handle}) => handle);
  const presences = await server.statusOfHandles(handles);
  return handles.filter((_, index) => presences[index]!.running);
}
