import {formatAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';

/** Cancelled entries that wait, by server address; a server that cannot say is left out. Never rejects for a server. */
export async function ignoredEntries(servers: readonly ServerConnection[]): Promise<Map<string, number>> {
  const ignored = new Map<string, number>();
  await Promise.all(
    servers.map(async (connection) => {
      if (!('server' in connection)) return;
      const {server, address} = connection;
      try {
        const handles = (await server.jobs()).filter((job) => job.ignored).map(({handle}) => handle);
        const presences = await server.statusOfHandles(handles);
        ignored.set(formatAddress(address), presences.filter(({known, running}) => known && !running).length);
      } catch {
        // Perl's server has no list of jobs, and cancels none.
      }
    }),
  );
  return ignored;
}
