/** The waiting jobs that may be the site's, by the id in their payload: read, or taken out. */
import {isSerial, mayBeFunctionOf} from '../../atom/job-classes.ts';
import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, ServerConnection} from '../../gearman/server.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import type {ProbedJob} from '../../queue/probe/held-jobs.ts';
import type {LeftFunction} from '../../queue/probe/hold-waiting.ts';
import {type ProbeOptions, probeQueue} from '../../queue/probe/probe.ts';
import {
  type FunctionOwner,
  ownerOf,
  type QueueSnapshot,
  queueName,
  type SeenFunction,
  type SitePrefixes,
  takeSnapshot,
} from '../../queue/snapshot.ts';
import {contradicts} from './counts.ts';
import type {ProbedPayload} from './evidence.ts';

export interface QueueOptions {
  servers: readonly ServerConnection[];
  prefixes: SitePrefixes;
  /** Timeout for each reply of a server. */
  timeoutSeconds: number;
  /** Aborted before a server's jobs are held: that server is not probed. */
  signal?: AbortSignal;
}

export interface ProbedSite {
  /** What still waits. */
  waiting: ProbedPayload[];
  removed: ProbedPayload[];
  /** Why a server or a function was not probed, or what is not known of one that was. */
  problems: AtomctlError[];
  /** Where jobs of these functions may wait that were not read. */
  unread: UnreadQueue[];
}

/** A server, or one function of it, whose waiting jobs were not read. */
export interface UnreadQueue {
  /** `host:port`. */
  server: string;
  /** null: any. */
  jobClass: string | null;
  reason: AtomctlError;
}

/**
 * Reads the payloads of all waiting jobs that may be the site's, on every server, and returns each to its place. Functions under
 * every prefix that is not known to be another site's are probed, since a deploy that moved the root leaves jobs under the old
 * one. Never rejects for a server.
 * @param options.name the name of a row: only functions that may hold its job are probed
 */
export async function probeSite(options: QueueOptions & {name?: string}): Promise<ProbedSite> {
  const {name} = options;
  const mayHold = ({jobClass}: SeenFunction) => name === undefined || mayBeFunctionOf(name, jobClass);
  const {functions, missing} = await functionsOf(options, ['site', 'unknown']);
  return probeFunctions({functions: functions.filter(mayHold), missing}, options);
}

/** Ends some of the waiting jobs. */
export interface Taking {
  /** True for a job that must leave the queue. Decided while the job is held. */
  take: (job: SeenJob) => boolean;
  /**
   * Called once with all jobs that left a queue, also if a probe failed later, before another atomctl may hold any of the servers
   * that they were on: a job may wait on several.
   * @param unread where others of these jobs may wait
   */
  settle: (removed: readonly SeenJob[], unread: readonly UnreadQueue[]) => Promise<void>;
}

/** A job that was held, and where. */
export type SeenJob = ProbedJob & ProbedPayload;

/**
 * The same for the site's own functions alone, but those that `take` chooses are ended and never run. A prefix that is not known
 * may be that of a copy of this site, whose jobs have the same ids and names.
 * @param options.names the names of the rows: only functions that may hold their jobs are touched
 */
export async function takeFromSite(
  options: QueueOptions & Taking & {names: readonly string[]},
): Promise<ProbedSite> {
  const mayHold = ({jobClass}: SeenFunction) => options.names.some((name) => mayBeFunctionOf(name, jobClass));
  const {functions, missing} = await functionsOf(options, ['site']);
  return probeFunctions({functions: functions.filter(mayHold), missing}, options);
}

/**
 * Puts the jobs of serial classes that stopped workers gave back before those that wait: AtoM lets a younger one wait for an older
 * row, and gives it up after some minutes. No worker may be connected for them, or none that is free. A signal does not end this.
 * @returns why that could not be done
 */
export async function putFirst(
  options: QueueOptions,
  interrupted: readonly {id: number; name: string}[],
): Promise<AtomctlError[]> {
  const serial = new Map(interrupted.filter(({name}) => isSerial(name)).map((job) => [job.id, job.name]));
  if (serial.size === 0) return [];
  const first = (job: ProbedJob) => {
    const name = serial.get(job.jobId ?? 0);
    return name !== undefined && mayBeFunctionOf(name, splitFunctionName(job.function).jobClass);
  };
  const isTheirs = ({jobClass}: SeenFunction) =>
    isSerial(jobClass) && [...serial.values()].some((name) => mayBeFunctionOf(name, jobClass));
  const {functions, missing} = await functionsOf(options, ['site']);
  const theirs = {functions: functions.filter(isTheirs), missing};
  return (await probeFunctions(theirs, {...options, first, signal: undefined})).problems;
}

async function probeFunctions(
  {functions, missing}: SeenFunctions,
  options: QueueOptions & Partial<Taking> & Pick<ProbeOptions, 'first'>,
): Promise<ProbedSite> {
  const {timeoutSeconds, signal, take, settle, first} = options;
  const silent = missing.map(({address, error}) => unreadServer(formatAddress(address), error));
  const probed: ProbedSite = {waiting: [], removed: [], problems: [], unread: silent};
  const taken: SeenJob[] = [];
  // Executing ones too: they may wait in truth, held by another atomctl that probes.
  const busy = functions.filter(({total}) => total > 0);
  const probeNext = async ([server, ...others]: readonly GearmanServer[]): Promise<void> => {
    if (server === undefined) {
      if (taken.length > 0) await settle?.(taken, probed.unread);
      return;
    }
    const names = busy.filter((seen) => seen.server === server).map((seen) => seen.function);
    const seen = (job: ProbedJob): SeenJob => ({
      ...job,
      queue: queueName(server.address, job.function),
      server: formatAddress(server.address),
    });
    let goesOn = true;
    const goOn = async (left: readonly LeftFunction[]) => {
      goesOn = false;
      for (const {function: name, reason} of left)
        probed.unread.push({
          server: formatAddress(server.address),
          jobClass: splitFunctionName(name).jobClass,
          reason,
        });
      await probeNext(others);
    };
    const probing = {
      timeoutSeconds,
      first,
      // What left another server is not left half done.
      signal: taken.length > 0 ? undefined : signal,
      take: take && ((job: ProbedJob) => take(seen(job))),
      // The others are probed while this server is locked.
      settle: async (jobs: readonly ProbedJob[], left: readonly LeftFunction[]) => {
        taken.push(...jobs.map(seen));
        await goOn(left);
      },
    };
    let notHeld: readonly LeftFunction[] = [];
    try {
      const {jobs, removed, refused, left} = await probeQueue(server.address, names, probing);
      probed.waiting.push(...jobs.map(seen));
      probed.removed.push(...removed.map(seen));
      probed.problems.push(...refused);
      notHeld = left;
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      probed.problems.push(error);
      probed.unread.push(unreadServer(formatAddress(server.address), error));
    }
    if (goesOn) await goOn(notHeld);
  };
  await probeNext([...new Set(busy.map((seen) => seen.server))]);
  return probed;
}

function unreadServer(server: string, reason: AtomctlError): UnreadQueue {
  return {server, jobClass: null, reason};
}

type SeenFunctions = Pick<QueueSnapshot, 'functions' | 'missing'>;

async function functionsOf(
  {servers, prefixes}: QueueOptions,
  owners: readonly FunctionOwner[],
): Promise<SeenFunctions> {
  const snapshot = await takeSnapshot(servers);
  const foreign = await prefixes.foreign(snapshot);
  const functions = snapshot.functions.filter((seen) => owners.includes(ownerOf(seen, prefixes, foreign)));
  return {functions, missing: snapshot.missing};
}

/** Whether a payload in one of the site's own functions is a row's. Two sites may share a prefix, and have rows of one id. */
export function isJobOfRow(job: ProbedJob, row: {name: string; objectId: number | null}): boolean {
  return mayBeFunctionOf(row.name, splitFunctionName(job.function).jobClass) && !contradicts(job, row);
}
