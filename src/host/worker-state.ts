import {readProcessState, type SeenProcess} from '../processes/process-state.ts';
import {comesFromHere} from './own-addresses.ts';

/**
 * What /proc says about the process of a worker that is connected to Gearman; null if the worker is on another host, or
 * if that cannot be read.
 * @param worker.ip the address from which it is connected
 * @param worker.server `host:port`
 */
export async function readWorkerProcess(worker: {
  pid: number | null;
  ip: string;
  server: string;
}): Promise<SeenProcess | null> {
  const {pid, ip, server} = worker;
  return pid !== null && comesFromHere(ip, server) ? readProcessState(pid) : null;
}
