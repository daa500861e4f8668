import {hostname, networkInterfaces} from 'node:os';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import type {ServerConnection} from '../gearman/server.ts';
import {NotExamined} from './finding.ts';
import {findGearmand, type GearmandOptions} from './gearmand-options.ts';
import {listenerOn, readSocketTables} from './listeners.ts';

/** A Gearman server of the site that runs on this host. */
export interface LocalServer {
  /** `host:port`. */
  address: string;
  everyInterface: boolean;
  /** null where its process was not found, or is not gearmand's (the server in C). */
  options: GearmandOptions | null;
}

/** @throws NotExamined where none of the servers runs here, or the system does not tell */
export async function findLocalServers(servers: readonly ServerConnection[]): Promise<LocalServer[]> {
  const tables = await readSocketTables();
  if (tables === null) throw new NotExamined('This system has no /proc/net/tcp to look into.');
  const local: LocalServer[] = [];
  for (const {address} of servers) {
    const listener = isThisHost(address) ? listenerOn(address.port, tables) : 'none';
    if (listener === 'none') continue;
    const options = await findGearmand(address.port);
    local.push({address: formatAddress(address), everyInterface: listener === 'every', options});
  }
  if (local.length === 0) throw new NotExamined('No Gearman server of this site runs on this host.');
  return local;
}

/** By the address as it was configured; another name of this host is not looked up. */
function isThisHost({host}: ServerAddress): boolean {
  if (host === 'localhost' || host === hostname() || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own?.address === host);
}
