import type {AtomctlError} from '../errors.ts';
import type {FunctionStatus, GearmanServer, ServerConnection} from '../gearman/server.ts';
import {type FunctionName, splitFunctionName} from './function-name.ts';

/** A function of one server at one moment, with its name taken apart. */
export interface SeenFunction extends FunctionStatus, FunctionName {
  server: GearmanServer;
}

/** What every Gearman server of a site said of its functions, and which servers said nothing. */
export interface QueueSnapshot {
  functions: SeenFunction[];
  answered: GearmanServer[];
  missing: {address: ServerConnection['address']; error: AtomctlError}[];
}

/** Asks every server for its functions, side by side. Never rejects for a server that fails. */
export async function takeSnapshot(servers: readonly ServerConnection[]): Promise<QueueSnapshot> {
  const snapshot: QueueSnapshot = {functions: [], answered: [], missing: []};
  await Promise.all(
    servers.map(async (connection) => {
      if ('error' in connection) {
        snapshot.missing.push(connection);
        return;
      }
      const {address, server} = connection;
      try {
        const functions = await server.status();
        snapshot.answered.push(server);
        snapshot.functions.push(
          ...functions.map((row) => ({...row, ...splitFunctionName(row.function), server})),
        );
      } catch (error) {
        snapshot.missing.push({address, error: error as AtomctlError});
      }
    }),
  );
  return snapshot;
}

/**
 * The functions that may hold a site's jobs. Where no server shows any life under the site's own prefix, the
 * prefix may be computed wrong (a root moved, a container's path): then every function may, and `own` is false.
 */
export function functionsOfSite(
  snapshot: QueueSnapshot,
  prefix: string | null,
): {own: boolean; functions: SeenFunction[]} {
  const functions = snapshot.functions.filter((row) => row.prefix === prefix);
  const alive = functions.some(({total, workers}) => total > 0 || workers > 0);
  return prefix !== null && alive ? {own: true, functions} : {own: false, functions: snapshot.functions};
}
