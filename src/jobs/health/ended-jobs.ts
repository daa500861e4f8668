import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import {queueName, takeSnapshot} from '../../queue/snapshot.ts';
import {askForKeys} from '../live/unique-keys.ts';
import type {EndedRow} from '../model/running-jobs.ts';
import type {Surplus} from './surplus.ts';

/** A job whose row has ended while Gearman still has it: its kill was interrupted, or it was submitted again. */
export interface EndedJob {
  id: number;
  name: string;
  running: boolean;
  /** `host:port`. */
  server: string;
  queue: string;
}

/**
 * The rows among these whose keys the servers know in queues with a surplus. A server with cancelled entries is left
 * out: it knows their keys until a worker polls.
 * @param rows read at least a second before: a worker saves the row before it tells Gearman that the job has ended
 */
export async function findEndedJobs(
  rows: readonly EndedRow[],
  options: {
    servers: readonly ServerConnection[];
    surplus: readonly Surplus[];
    ignored: ReadonlyMap<string, number>;
  },
): Promise<EndedJob[]> {
  if (rows.length === 0) return [];
  const wanted = new Set(options.surplus.flatMap(({queues}) => queues));
  const {functions} = await takeSnapshot(options.servers);
  const queues = functions.filter(
    ({server, ...seen}) =>
      wanted.has(queueName(server.address, seen.function)) &&
      !options.ignored.get(formatAddress(server.address)),
  );
  const {found} = await askForKeys(rows, ({name}) =>
    queues.filter(({jobClass}) => mayBeFunctionOf(name, jobClass)),
  );
  return rows.flatMap(({id, name}) =>
    (found.get(id) ?? []).map(({running, queue, server}) => ({
      ...{id, name, running, queue},
      server: formatAddress(server.address),
    })),
  );
}
