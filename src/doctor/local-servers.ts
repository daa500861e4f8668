import {hostname, networkInterfaces} from 'node:os';
import {formatAddress, type ServerAddress} from '../gearman/address.ts';
import type {ServerConnection} from '../gearman/server.ts';
import {readProcesses} from '../processes/read-processes.ts';
import {listenerOn, readSockets} from '../processes/socket-tables.ts';
import {NotExamined} from './finding.ts';
import {findGearmand, type GearmandOptions} from './gearmand-options.ts';

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
  const sockets = await readSockets();
  if (sockets === null) throw new NotExamined('This system has no /proc/net/tcp to look into.');
  const local = servers
    .filter(({address}) => isThisHost(address))
    .map(({address}) => ({address, listener: listenerOn(address.port, sockets)}))
    .filter(({listener}) => listener !== 'none');
  if (local.length === 0) throw new NotExamined('No Gearman server of this site runs on this host.');
  const {gearmands} = await readProcesses();
  return Promise.all(
    local.map(async ({address, listener}) => ({
      address: formatAddress(address),
      everyInterface: listener === 'every',
      options: await findGearmand(address.port, gearmands),
    })),
  );
}

/** By the address as it was configured; another name of this host is not looked up. */
function isThisHost({host}: ServerAddress): boolean {
  if (host === 'localhost' || host === hostname() || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((own) => own?.address === host);
}
