import {AtomctlError} from '../errors.ts';
import type {Queryable, Row, ServerInfo} from './database.ts';

/** The address of a replica of a server. */
export interface ReplicaAddress {
  host: string;
  port: number;
}

/**
 * How far a replica is behind its source, in whole seconds, by the slowest of its channels; null if one of them does
 * not replicate. Needs the privilege REPLICATION CLIENT, on MariaDB REPLICA MONITOR.
 * @param name for messages
 * @throws AtomctlError FAILED if the server is not a replica
 */
export async function replicaLag(
  database: Queryable & {server: ServerInfo},
  name: string,
): Promise<number | null> {
  const all = database.server.flavour === 'mariadb' ? 'ALL REPLICAS' : 'REPLICA';
  const channels = await database.query(`SHOW ${all} STATUS`);
  if (channels.length === 0) throw new AtomctlError('FAILED', `The server at ${name} is not a replica.`);
  const lags = channels.map(
    (channel) => channel.Seconds_Behind_Source ?? channel.Seconds_Behind_Master ?? null,
  );
  return lags.includes(null) ? null : Math.max(...lags.map(Number));
}

/**
 * The replicas that are connected to a server now. Needs the privilege REPLICATION SLAVE, on MariaDB REPLICATION
 * MASTER ADMIN.
 * @throws AtomctlError FAILED if one does not give its address (its option report_host)
 */
export async function listReplicas(database: Queryable & {server: ServerInfo}): Promise<ReplicaAddress[]> {
  const hosts = database.server.flavour === 'mariadb' ? 'REPLICA HOSTS' : 'REPLICAS';
  return (await database.query(`SHOW ${hosts}`)).map(addressOf);
}

function addressOf({Host: host, Port: port}: Row): ReplicaAddress {
  if (typeof host === 'string' && host !== '') return {host, port: Number(port)};
  throw new AtomctlError('FAILED', 'The database has a replica without a known host (report_host).', {
    hint: 'Give it with --replica HOST[:PORT].',
  });
}
