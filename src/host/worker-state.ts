import {readProcessState, type SeenProcess} from '../processes/process-state.ts';
import {isLoopback, isOwnAddress, ownAddressesOf} from './own-addresses.ts';

/**
 * What /proc says about the process of a worker that is connected to Gearman; null if the worker is on another host, or
 * if that cannot be read. A loopback address is this host's only if the server is.
 * @param worker.ip the address from which it is connected
 * @param worker.server `host:port`
 */
export async function readWorkerProcess(worker: {
  pid: number | null;
  ip: string;
  server: string;
}): Promise<SeenProcess | null> {
  const {pid, ip, server} = worker;
  if (pid === null) return null;
  const serverHost = server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const isHere = isLoopback(ip) ? ownAddressesOf(serverHost).length > 0 : isOwnAddress(ip);
  return isHere ? readProcessState(pid) : null;
}
