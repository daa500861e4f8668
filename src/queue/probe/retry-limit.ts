import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, GearmanTimeouts} from '../../gearman/server.ts';
import {survivesReturns} from '../../gearman/test-job.ts';

/**
 * Only gearmand, the server in C, queues a job again whose worker gives it back: the others drop it.
 * @throws AtomctlError REFUSED if the server is another; or as GearmanServer's questions do
 */
export async function refuseOtherServers(server: GearmanServer): Promise<void> {
  const {implementation} = await server.version();
  if (implementation === 'gearmand') return;
  throw new AtomctlError(
    'REFUSED',
    `Gearman server ${formatAddress(server.address)} is not gearmand (the server written in C): a probe would lose jobs.`,
    {hint: 'Nothing was changed. Such a server shows how many jobs wait, but not which jobs.'},
  );
}

/**
 * Makes sure that every job of a server can be returned some times more, without touching any job of the site.
 *
 * With `--job-retries=N` gearmand drops a job at its N-th return. So a test job of our own must survive so many returns
 * more than the job with the most returns.
 * @param more how often each job is about to be returned
 * @throws AtomctlError REFUSED if a job could be dropped; or as GearmanServer's questions do
 */
export async function refuseWhereReturnsDrop(
  server: GearmanServer,
  more: number,
  options: GearmanTimeouts,
): Promise<void> {
  const jobs = (await server.jobs()).filter((job) => !job.ignored);
  const returns = jobs.reduce((most, job) => Math.max(most, job.retries), 0) + more;
  if (await survivesReturns(server, returns, options)) return;
  throw new AtomctlError(
    'REFUSED',
    `Gearman server ${formatAddress(server.address)} limits retries: a probe could drop jobs.`,
    {hint: 'Nothing was changed. Wait until the queue is empty, or increase --job-retries of gearmand.'},
  );
}
