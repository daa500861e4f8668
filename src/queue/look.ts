import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from '../gearman/address.ts';
import type {Backlog} from './backlog.ts';
import {askServers} from './server-report.ts';
import {type QueueStatus, type QueueStatusOptions, queueStatus} from './status.ts';

/** The queue at one moment, as the servers and the database tell it. */
export interface QueueLook {
  status: QueueStatus;
  /** null where the database was not asked or did not answer. */
  backlog: Backlog | null;
}

export interface LookOptions extends Omit<QueueStatusOptions, 'servers' | 'backlog'> {
  addresses: readonly ServerAddress[];
  /** Bounds each connection to a server and each reply. */
  timeoutSeconds: number;
  /** Asks the database; null where it is not to be asked. */
  readBacklog: (() => Promise<Backlog>) | null;
}

/**
 * Connects to every server, asks it and the database, and judges what they say. A server or a database that
 * fails is one of the problems in the result.
 * @throws AtomctlError USAGE where the database's settings are wrong; NO_SITE where a limit on the age of running
 *   rows is set and no database is configured
 */
export async function lookAtQueue(options: LookOptions): Promise<QueueLook> {
  const [servers, backlog] = await Promise.all([askServers(options), askDatabase(options)]);
  return {
    status: queueStatus({...options, servers, backlog}),
    backlog: typeof backlog === 'string' ? null : backlog,
  };
}

/** What the database says, or the sentence that tells why it does not. */
async function askDatabase({readBacklog, limits}: LookOptions): Promise<Backlog | string | null> {
  if (readBacklog === null) return null;
  try {
    return await readBacklog();
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    if (error.code !== 'NO_SITE') return error.message;
    if (limits?.warningAge !== undefined || limits?.criticalAge !== undefined) throw error;
    return null;
  }
}
