import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {Replica, ReplicaWait} from '../../jobs/clear/replica-lag.ts';
import type {ReplicaAddress} from '../../mysql/replica.ts';
import type {Context} from '../context.ts';
import {secondsFrom} from '../flags/shared-flags.ts';

const MYSQL_PORT = 3306;

/** How far a large deletion may leave replicas behind. */
export const replicaFlags = {
  'max-lag': Flags.custom<number>({
    summary: 'Wait between transactions while a replica of the database is further behind than this.',
    helpValue: 'SECONDS',
    parse: secondsFrom(0),
  })(),
  replica: Flags.custom<ReplicaAddress>({
    summary:
      'A replica to wait for, with the user and password of the database; repeatable. Those that the server names otherwise.',
    helpValue: 'HOST[:PORT]',
    dependsOn: ['max-lag'],
    multiple: true,
    multipleNonGreedy: true,
    parse: async (text) => parseReplica(text),
  })(),
};

export interface ReplicaFlags {
  'max-lag'?: number;
  replica?: ReplicaAddress[];
}

function parseReplica(text: string): ReplicaAddress {
  const url = URL.canParse(`mysql://${text}`) ? new URL(`mysql://${text}`) : null;
  if (url?.hostname && url.host === text) {
    return {host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || MYSQL_PORT)};
  }
  throw usageError(`"${text}" (--replica) is no server address.`, 'Give HOST, HOST:PORT or [IPV6]:PORT.');
}

/**
 * What to wait for between transactions; null without --max-lag. The replicas are connected here, before anything is
 * deleted, and each is asked once.
 * @throws AtomctlError where one cannot be reached, does not replicate, or is none
 */
export async function replicaWait(
  context: Context,
  {flags, notice}: {flags: ReplicaFlags; notice: (text: string) => void},
): Promise<ReplicaWait | null> {
  const maxLagSeconds = flags['max-lag'];
  if (maxLagSeconds === undefined) return null;
  const {listReplicas} = await import('../../mysql/replica.ts');
  const addresses = flags.replica ?? (await listReplicas(await context.database()));
  const replicas = await Promise.all(addresses.map((address) => connectReplica(context, address)));
  const onWait = ({name}: Replica, lagSeconds: number) =>
    notice(`Waiting: the replica at ${name} is ${lagSeconds} s behind.`);
  return {replicas, maxLagSeconds, onWait};
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
