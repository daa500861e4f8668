/**
 * Whether a worker may still be working on a job that has begun and that no server knows. After a restart of gearmand a
 * worker goes on with its job, and no server knows the job any more: absence from Gearman proves nothing then.
 */
import type {SiteTime} from '../../atom/site-time.ts';
import type {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import type {SiteProcesses} from '../../processes/site-processes.ts';
import {type PossibleWorker, possibleWorkers} from '../../queue/workers.ts';
import type {RunningRow} from '../model/running-jobs.ts';

/** A job whose log is silent for less may have a worker that Gearman does not know. */
const QUIET_MINUTES = 15;

/** Who may be working on a site's jobs. */
export interface Workforce {
  /** Connected to Gearman, this site's first. */
  workers: readonly PossibleWorker[];
  /** On this host. */
  processes: SiteProcesses;
}

/** Asks every server for its workers, and the host for its processes. Never rejects for a server. */
export async function findWorkforce(options: {
  servers: readonly ServerConnection[];
  prefix: string | null;
  siteProcesses: () => Promise<SiteProcesses>;
}): Promise<Workforce & {missing: AtomctlError[]}> {
  const missing: AtomctlError[] = [];
  const reports = await Promise.all(
    options.servers.map(async (connection) => {
      const address = formatAddress(connection.address);
      // That a server cannot be reached is reported with its functions.
      if (!('server' in connection)) return {address, connections: []};
      try {
        return {address, connections: await connection.server.connections()};
      } catch (thrown) {
        missing.push(thrown as AtomctlError);
        return {address, connections: []};
      }
    }),
  );
  const workers = possibleWorkers(reports, options.prefix);
  return {workers, processes: await options.siteProcesses(), missing};
}

/** Why a worker may be working on a job that has begun, one sentence; null if none can be. */
export function reasonForWork(
  {lastActivity}: Pick<RunningRow, 'lastActivity'>,
  {workers, processes}: Workforce,
  {time, now}: {time: SiteTime; now: () => Date},
): string | null {
  const [worker] = workers;
  if (worker !== undefined) return workerReason(worker);
  const [process] = processes.processes;
  if (process !== undefined)
    return `The process ${process.pid} (symfony ${process.task}) on this host may be running it.`;
  if (processes.incomplete !== null) return processes.incomplete;
  if (lastActivity === null) return 'Its log does not show when it was last active.';
  const silentMs = now().getTime() - time.toEpochMs(lastActivity);
  if (silentMs < 0)
    return 'The last line of its log lies in the future, so the time zone is not right (see atomctl config).';
  const minutes = Math.floor(silentMs / 60_000);
  if (minutes >= QUIET_MINUTES) return null;
  return `Its log has been silent for only ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}; ${QUIET_MINUTES} are needed.`;
}

function workerReason({pid, thisSite}: PossibleWorker): string {
  const who = thisSite ? 'of this site' : 'under another function prefix';
  return `A worker ${who}${pid === null ? '' : ` (PID ${pid})`} is connected and may be running it.`;
}
