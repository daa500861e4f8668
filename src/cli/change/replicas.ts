import {usageError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {Replica, ReplicaWait} from '../../jobs/clear/replica-lag.ts';
import {MYSQL_PORT} from '../../mysql/database-url.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import type {Context} from '../context.ts';

/** Reads HOST, HOST:PORT or [IPV6]:PORT. @throws AtomctlError USAGE */
export function parseReplica(text: string): ReplicaAddress {
  const url = URL.canParse(`mysql://${text}`) ? new URL(`mysql://${text}`) : null;
  if (url?.hostname && url.host === text) {
    return {host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || MYSQL_PORT)};
  }
  throw usageError(
    `"${text}" (--replica) is not a valid server address.`,
    'Give HOST, HOST:PORT or [IPV6]:PORT.',
  );
}

export interface ReplicaOptions {
  /** null: replicas are not waited for. */
  maxLagSeconds: number | null;
  /** null: those that the server names. */
  replicas: readonly ReplicaAddress[] | null;
  notice: (text: string) => void;
}

/**
 * How to wait for replicas between transactions; null without a maximum lag. Connects to each replica and reads its lag
 * once, so that a wrong one is found before anything is deleted.
 * @throws AtomctlError if one cannot be reached, does not replicate, or is not a replica
 */
export async function replicaWait(
  context: Context,
  {maxLagSeconds, replicas, notice}: ReplicaOptions,
): Promise<ReplicaWait | null> {
  if (maxLagSeconds === null) return null;
  const {listReplicas} = await import('../../mysql/replica.ts');
  const addresses = replicas ?? (await listReplicas(await context.database()));
  const connected = await Promise.all(addresses.map((address) => connectReplica(context, address)));
  const onWait = ({name}: Replica, lagSeconds: number) =>
    notice(`Waiting: the replica at ${name} is ${lagSeconds} s behind the primary.`);
  return {replicas: connected, maxLagSeconds, onWait};
}

async function connectReplica(context: Context, {host, port}: ReplicaAddress): Promise<Replica> {
  const [{replicaLag}, {lagOf}] = await Promise.all([
    import('../../mysql/replica.ts'),
    import('../../jobs/clear/replica-lag.ts'),
  ]);
  const database = await context.replica({host, port});
  const name = formatAddress({host, port});
  const replica = {name, lagSeconds: () => replicaLag(database, name)};
  await lagOf(replica);
  return replica;
}
