/** The site's queued jobs in Gearman, by the id in their payload: looked at, or taken out. */
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import {type ProbedJob, type ProbeOptions, probeQueue} from '../../queue/probe.ts';
import {
  functionsOfSite,
  ownerOf,
  queueName,
  type SeenFunction,
  type SitePrefixes,
  takeSnapshot,
} from '../../queue/snapshot.ts';
import type {ProbedPayload} from './evidence.ts';

export interface QueueOptions {
  servers: readonly ServerConnection[];
  prefix: string | null;
  /** A bound on each reply of a server. */
  timeoutSeconds: number;
  /** Aborted before a server's jobs are held: that server is not looked at. */
  signal?: AbortSignal;
}

export interface ProbedSite {
  /** What still waits. */
  waiting: ProbedPayload[];
  removed: ProbedPayload[];
  /** One error for each server that could not be looked at; what others gave up stands beside it. */
  problems: AtomctlError[];
}

/** Said where the site's jobs may be in Gearman all the same: its prefix may be computed wrong. */
export const NO_LIFE =
  "No server shows any life under this site's function prefix, so its jobs cannot be told from another site's (see atomctl config).";

/**
 * Looks at the payloads of all queued jobs of the site, on every server, and hands each back where it was, but for
 * those that `take` chooses: these are ended and never run. Nothing where the site's prefix shows no life. A server
 * that would drop what is handed back keeps its jobs untouched; never rejects for a server.
 */
export async function probeSite(
  options: QueueOptions & Pick<ProbeOptions, 'take' | 'settle'>,
): Promise<ProbedSite> {
  const {own, functions} = functionsOfSite(await takeSnapshot(options.servers), options.prefix);
  return probeFunctions(own ? functions : [], options);
}

/**
 * The payloads under every prefix that is not known to be another site's: a deploy that moved the root leaves jobs
 * under the old one. Nothing is taken out.
 */
export async function probePrefixes(
  options: Omit<QueueOptions, 'prefix'> & {prefixes: SitePrefixes},
): Promise<ProbedSite> {
  const snapshot = await takeSnapshot(options.servers);
  const foreign = await options.prefixes.foreign(snapshot);
  const functions = snapshot.functions.filter((seen) => ownerOf(seen, options.prefixes, foreign) !== 'other');
  return probeFunctions(functions, options);
}

async function probeFunctions(
  functions: readonly SeenFunction[],
  {
    timeoutSeconds,
    take,
    settle,
    signal,
  }: Omit<QueueOptions, 'prefix' | 'servers'> & Pick<ProbeOptions, 'take' | 'settle'>,
): Promise<ProbedSite> {
  const look: ProbedSite = {waiting: [], removed: [], problems: []};
  // Executing ones too: they may wait in truth, held by another atomctl that looks at them.
  const busy = functions.filter(({total}) => total > 0);
  for (const server of new Set(busy.map((seen) => seen.server))) {
    const names = busy.filter((seen) => seen.server === server).map((seen) => seen.function);
    try {
      const {jobs, removed} = await probeQueue(server.address, names, {timeoutSeconds, take, settle, signal});
      const seen = (job: ProbedJob) => ({
        ...job,
        queue: queueName(server.address, job.function),
        server: formatAddress(server.address),
      });
      look.waiting.push(...jobs.map(seen));
      look.removed.push(...removed.map(seen));
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      look.problems.push(error);
    }
  }
  return look;
}
