import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from './address.ts';
import {type ConnectOptions, connectServer, type ServerConnection} from './server.ts';

/**
 * Connects to several servers at once, in the order of the addresses. One that cannot be reached stands in the
 * result with its error and takes no other down.
 */
export function connectServers(
  addresses: readonly ServerAddress[],
  options: ConnectOptions,
): Promise<ServerConnection[]> {
  return Promise.all(
    addresses.map(async (address) => {
      try {
        return {address, server: await connectServer(address, options)};
      } catch (error) {
        if (error instanceof AtomctlError) return {address, error};
        throw error;
      }
    }),
  );
}
