import {AtomctlError} from '../errors.ts';
import {formatAddress} from '../gearman/address.ts';
import type {ConnectOptions, GearmanServer} from '../gearman/server.ts';
import {survivesReturns} from '../gearman/throwaway.ts';

/** A job goes back to the queue once as its worker stops, and must be able to once more as it is looked at. */
const RETURNS = 2;

/**
 * Why the workers may not be stopped to end a job; null where they may. Stopping them returns every job that they
 * execute to the queue: where a server limits retries, one could be dropped, or begin anew because the queue can no
 * longer be looked at.
 */
export async function reasonAgainstRestart(
  servers: readonly GearmanServer[],
  options: ConnectOptions,
): Promise<AtomctlError | null> {
  try {
    for (const server of servers) {
      const jobs = (await server.jobs()).filter(({ignored}) => !ignored);
      const most = jobs.reduce((highest, {retries}) => Math.max(highest, retries), 0);
      if (!(await survivesReturns(server, most + RETURNS, options))) return limited(server);
    }
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}

function limited({address}: GearmanServer): AtomctlError {
  return new AtomctlError(
    'REFUSED',
    `Gearman server ${formatAddress(address)} limits retries: with a restart of its worker a job could be dropped or begin anew, so the worker was not stopped.`,
    {hint: 'Raise --job-retries of gearmand, or cancel the job and change its row with --force.'},
  );
}
