/** Reads the waiting jobs of a site with their payloads, so that they can be submitted again after a restart of gearmand. */
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import {PRIORITIES, type Priority} from '../../gearman/admin-protocol.ts';
import type {GearmanServer, PriorityStatus} from '../../gearman/server.ts';
import type {GrabbedJob} from '../../gearman/worker-connection.ts';
import type {Queryable} from '../../mysql/database.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {type ProbeOptions, probeQueue} from '../../queue/probe/probe.ts';
import {refuseOtherServers} from '../../queue/probe/retry-limit.ts';
import {sortJobs} from '../../queue/saved/check-jobs.ts';
import type {SavedJob} from '../../queue/saved/saved-queue.ts';
import {type FunctionOwner, ownerOf, type SeenFunction, takeSnapshot} from '../../queue/snapshot.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import {runningLogLengths} from '../model/running-jobs.ts';

export interface SaveOptions extends QueueOptions {
  database: Queryable;
}

export interface ReadQueue {
  /** In the order of the queue, within each function of each server. */
  jobs: SavedJob[];
  /** How many retries gearmand has counted for a job because it was read, at most. */
  retriesAdded: number;
  warnings: string[];
}

/**
 * Reads every waiting job under the site's own functions, on all servers, and leaves the order of the queue as it is.
 * @throws AtomctlError as for a server that does not answer; REFUSED if one is not gearmand, if a job could be dropped or
 *   could run too early, or if the prefix is not known; INTERRUPTED. A copy without a part of the jobs is not made.
 */
export async function readWaitingJobs(options: SaveOptions): Promise<ReadQueue> {
  const {servers, own, warnings} = await siteFunctions(options);
  for (const server of servers) await refuseOtherServers(server);
  // Before the jobs are held: a log that is longer at a restore shows that a worker began the job after it was saved.
  const logLengths = await runningLogLengths(options.database);
  const read: ReadQueue = {jobs: [], retriesAdded: 0, warnings};
  for (const server of servers) {
    const names = own.filter((seen) => seen.server === server).map((seen) => seen.function);
    const before = await retriesOf(server);
    const {jobs, problems} = await readServer(server, names, options);
    for (const [handle, retries] of await retriesOf(server))
      read.retriesAdded = Math.max(read.retriesAdded, retries - (before.get(handle) ?? retries));
    read.warnings.push(...problems);
    for (const {jobId, ...job} of jobs)
      read.jobs.push({...job, logLength: logLengths.get(jobId ?? 0) ?? null});
  }
  // A restore would refuse the whole copy for one of these, which any client of the server can submit.
  const {jobs, wrong} = sortJobs(read.jobs);
  const leftOutJobs = wrong.map(
    ({job, what}) =>
      `A job under ${job.function} is not in the copy, because AtoM does not submit such a job: it has ${what}.`,
  );
  return {...read, jobs, warnings: [...read.warnings, ...leftOutJobs]};
}

/** The functions to save, and what is left out. */
async function siteFunctions(options: SaveOptions) {
  const {prefixes, servers} = options;
  if (prefixes.own === null) {
    throw new AtomctlError(
      'REFUSED',
      "This site's function prefix is not known, so its jobs are not known.",
      {
        hint: 'Give --atom-root or --function-prefix. Nothing was touched.',
      },
    );
  }
  const snapshot = await takeSnapshot(servers);
  if (snapshot.missing[0] !== undefined) throw snapshot.missing[0].error;
  const foreign = await prefixes.foreign(snapshot);
  const busy = snapshot.functions.filter(({total}) => total > 0);
  const ownedBy = (owner: FunctionOwner) => busy.filter((seen) => ownerOf(seen, prefixes, foreign) === owner);
  // In the order of the settings: the copy of an unchanged queue is the same each time.
  const inOrder = servers.flatMap((each) => ('server' in each ? each.server : []));
  return {servers: inOrder, own: ownedBy('site'), warnings: leftOut(ownedBy('unknown'))};
}

/** One sentence for each prefix whose jobs may be the site's and are not saved. */
function leftOut(unknown: readonly SeenFunction[]): string[] {
  const waiting = new Map<string, number>();
  for (const {prefix, total, running} of unknown)
    waiting.set(prefix!, (waiting.get(prefix!) ?? 0) + total - running);
  return [...waiting]
    .filter(([, count]) => count > 0)
    .map(
      ([prefix, count]) =>
        `${count === 1 ? '1 job waits' : `${count} jobs wait`} under the function prefix ${prefix}, which may be an earlier one of this site: not in the copy. To save them: --function-prefix ${prefix}`,
    );
}

type ReadJob = Omit<SavedJob, 'logLength'> & {jobId: number | null};

/** A worker, or a client that submits, may change the queue between the priorities and the hold. */
const MOST_READS = 3;

async function readServer(
  server: GearmanServer,
  functions: readonly string[],
  options: SaveOptions,
): Promise<{jobs: ReadJob[]; problems: string[]}> {
  for (let reads = 1; ; reads += 1) {
    const priorities = await prioritiesOf(server);
    const {taken, jobs, problems} = await holdOnce(server, functions, options);
    const known = functions.map((name) => byPriority(name, jobs, priorities));
    if (known.includes(null) && reads < MOST_READS) continue;
    if (known.includes(null)) {
      throw new AtomctlError(
        'FAILED',
        `Jobs of several priorities arrive and start on Gearman server ${formatAddress(server.address)}: which job has which priority is not known.`,
        {hint: 'No copy was made. Try again in a moment, or stop the worker first.'},
      );
    }
    if (priorities === null && jobs.length > 0)
      problems.push(
        `Gearman server ${formatAddress(server.address)} does not tell priorities: its jobs are saved with the normal one, which AtoM gives.`,
      );
    const read = known
      .flatMap((ofFunction) => ofFunction!)
      .map(({priority, job}) => ({
        server: formatAddress(server.address),
        function: job.function,
        unique: job.unique,
        priority,
        payload: taken.get(job.handle)!,
        jobId: job.jobId,
      }));
    return {jobs: read, problems};
  }
}

async function holdOnce(server: GearmanServer, functions: readonly string[], options: SaveOptions) {
  const taken = new Map<string, Buffer>();
  const probing: ProbeOptions = {
    timeoutSeconds: options.timeoutSeconds,
    signal: options.signal,
    onTaken: ({handle, payload}: GrabbedJob) => void taken.set(handle, payload),
  };
  const {jobs, refused} = await probeQueue(server.address, functions, probing);
  // A copy without these would be taken for a whole one.
  const leftAlone = refused.find(({code}) => code === 'REFUSED');
  if (leftAlone !== undefined) throw leftAlone;
  return {taken, jobs, problems: refused.map(({message}) => message)};
}

/** null if the server does not tell them: gearmand does since 1.1.15. */
async function prioritiesOf(server: GearmanServer): Promise<readonly PriorityStatus[] | null> {
  try {
    return await server.priorities();
  } catch (error) {
    if (error instanceof AtomctlError && error.code === 'GEARMAN_PROTOCOL') return null;
    throw error;
  }
}

/**
 * The jobs of a function with their priorities; null if that is not known. gearmand hands out high before normal before low, so
 * the counts tell which job has which, unless several priorities wait and the queue has changed.
 */
function byPriority<T extends {function: string}>(
  name: string,
  all: readonly T[],
  priorities: readonly PriorityStatus[] | null,
): {priority: Priority; job: T}[] | null {
  const jobs = all.filter((job) => job.function === name);
  const counts = priorities?.find((row) => row.function === name);
  const used = PRIORITIES.filter((priority) => (counts?.[priority] ?? 0) > 0);
  const [only = 'normal'] = used;
  if (used.length <= 1) return jobs.map((job) => ({priority: only, job}));
  const inOrder = used.flatMap((priority) => new Array<Priority>(counts![priority]).fill(priority));
  if (inOrder.length !== jobs.length) return null;
  return jobs.map((job, index) => ({priority: inOrder[index]!, job}));
}

async function retriesOf(server: GearmanServer): Promise<Map<string, number>> {
  return new Map((await server.jobs()).map(({handle, retries}) => [handle, retries]));
}

/** How many jobs of each class a copy has, by server. */
export function countSaved(
  jobs: readonly SavedJob[],
): {server: string; function: string; jobClass: string; jobs: number}[] {
  const counts = new Map<string, {server: string; function: string; jobClass: string; jobs: number}>();
  for (const {server, function: name} of jobs) {
    const key = `${server} ${name}`;
    const {jobClass} = splitFunctionName(name);
    const count = counts.get(key) ?? {server, function: name, jobClass, jobs: 0};
    counts.set(key, {...count, jobs: count.jobs + 1});
  }
  return [...counts.values()];
}
