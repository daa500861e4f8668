import {AtomctlError} from '../errors.ts';
import type {ServerConnection} from '../gearman/server.ts';
import type {FoundJob} from './live-keys.ts';

/**
 * Cancels a job that was found by its key. Gearman cancels by handle and does not say which handle has which key, so
 * only where exactly one job of the server is in the same state (executing or not) is it certain to be that one. The
 * key is asked for again afterwards: were it not in that state any more, the handle could be the next job's.
 */
export async function cancelInGearman(found: FoundJob | undefined): Promise<'cancelled' | 'remains'> {
  if (found === undefined) return 'remains';
  try {
    const handles = (await found.server.jobs()).map(({handle}) => handle);
    const presences = await found.server.statusOfHandles(handles);
    const alike = handles.filter((_, index) => {
      const presence = presences[index];
      return presence?.known === true && presence.running === found.running;
    });
    const [still] = await found.server.statusOfUniqueKeys([found.unique]);
    if (alike.length !== 1 || !still!.known || still!.running !== found.running) return 'remains';
    return (await found.server.cancel(alike[0]!)) ? 'cancelled' : 'remains';
  } catch (error) {
    if (error instanceof AtomctlError) return 'remains';
    throw error;
  }
}

/** Whether any server that answers still knows a key: asked after a job was taken out, to be sure. */
export async function stillInGearman(servers: readonly ServerConnection[], unique: string): Promise<boolean> {
  const answers = await Promise.allSettled(
    servers.map(
      async (connection) =>
        'server' in connection && (await connection.server.statusOfUniqueKeys([unique]))[0]?.known,
    ),
  );
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value === true);
}
