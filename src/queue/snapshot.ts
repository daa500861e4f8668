import type {AtomctlError} from '../errors.ts';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import type {FunctionStatus, GearmanServer, ServerConnection} from '../gearman/server.ts';
import {type FunctionName, isOwnFunction, PROBE_LOCK, splitFunctionName} from './function-name.ts';

/** A function of one server at one moment, with its name taken apart. */
export interface SeenFunction extends FunctionStatus, FunctionName {
  server: GearmanServer;
  /** Names the function on this server: see queueName. */
  queue: string;
}

/** What every Gearman server of a site said of its functions, and which servers said nothing. */
export interface QueueSnapshot {
  functions: SeenFunction[];
  answered: GearmanServer[];
  missing: {address: ServerConnection['address']; error: AtomctlError}[];
  /** On some server an atomctl looks at the queue: jobs that it holds count as running. */
  probing: boolean;
}

/** Asks every server for its functions, side by side, without atomctl's own. Never rejects for a server that fails. */
export async function takeSnapshot(servers: readonly ServerConnection[]): Promise<QueueSnapshot> {
  const snapshot: QueueSnapshot = {functions: [], answered: [], missing: [], probing: false};
  await Promise.all(
    servers.map(async (connection) => {
      if ('error' in connection) {
        snapshot.missing.push(connection);
        return;
      }
      const {address, server} = connection;
      try {
        const rows = await server.status();
        snapshot.answered.push(server);
        snapshot.probing ||= rows.some((row) => row.function === PROBE_LOCK && row.total > 0);
        snapshot.functions.push(
          ...rows
            .filter((row) => !isOwnFunction(row.function))
            .map((row) => ({
              ...row,
              ...splitFunctionName(row.function),
              server,
              queue: queueName(address, row.function),
            })),
        );
      } catch (error) {
        snapshot.missing.push({address, error: error as AtomctlError});
      }
    }),
  );
  return snapshot;
}

/** One name for a function on one server, whose jobs no other server knows. */
export function queueName(address: ServerAddress, name: string): string {
  return `${name} ${formatAddress(address)}`;
}

/**
 * The functions that may hold a site's jobs. Where no server shows any life under the site's own prefix, the
 * prefix may be computed wrong (a root moved, a container's path): then every function may, and `own` is false.
 * @param prefix null where it is not known, empty where the site's functions have none
 */
export function functionsOfSite(
  snapshot: QueueSnapshot,
  prefix: string | null,
): {own: boolean; functions: SeenFunction[]} {
  const functions = snapshot.functions.filter((row) => (row.prefix ?? '') === prefix);
  const alive = functions.some(({total, workers}) => total > 0 || workers > 0);
  return prefix !== null && alive ? {own: true, functions} : {own: false, functions: snapshot.functions};
}
