import {createHash} from 'node:crypto';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import {worthAnotherAttempt} from '../../gearman/failure.ts';
import type {GearmanServer} from '../../gearman/server.ts';

/** A Gearman job as AtoM sends it. */
export interface Submission {
  function: string;
  unique: string;
  payload: string;
}

/** `absent`: the server does not have the job; `unknown`: it may have it, and may still run it. */
export type Submitted =
  | {outcome: 'submitted'; server: string}
  | {outcome: 'absent' | 'unknown'; server: string; reason: string};

/**
 * The server that AtoM's client would choose of these: by the last digit of the key's md5 (Net_Gearman_Client::getConnection).
 * AtoM chooses among all servers that it reaches, here only those are given that have a worker for the job.
 */
export function chooseServer(servers: readonly GearmanServer[], unique: string): GearmanServer {
  const last = createHash('md5').update(unique).digest('hex').slice(-1);
  return servers[last.charCodeAt(0) % servers.length]!;
}

/**
 * Submits a job and makes sure that the server has it: its key is known there, or its row shows that a worker began it. A
 * worker writes to the row before it tells Gearman of the end, so the row is asked after the key. Nothing is sent twice: a
 * server that did not answer may have the job in its buffer.
 * @param began whether the row shows that a worker has begun the job
 */
export async function submitJob(
  server: GearmanServer,
  job: Submission,
  began: () => Promise<boolean>,
): Promise<Submitted> {
  const address = formatAddress(server.address);
  let reason = `${address} accepted the job, but does not know it afterwards.`;
  try {
    await server.submitBackground(job);
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    reason = error.message;
  }
  try {
    if (await isKnown(server, job.unique)) return {outcome: 'submitted', server: address};
    if (await began()) return {outcome: 'submitted', server: address};
    return {outcome: 'absent', server: address, reason};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    if (await began().catch(() => false)) return {outcome: 'submitted', server: address};
    return {outcome: 'unknown', server: address, reason: error.message};
  }
}

/** Asked once more if the connection was lost: the next request opens a new one. */
async function isKnown(server: GearmanServer, unique: string): Promise<boolean> {
  const ask = async () => (await server.statusOfUniqueKeys([unique]))[0]!.known;
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AtomctlError) || !(await worthAnotherAttempt([error]))) throw error;
    return ask();
  }
}
