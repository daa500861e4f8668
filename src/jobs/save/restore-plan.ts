/** What a restore would do to each job of a copy. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {AtomctlError, usageError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, JobPresence} from '../../gearman/server.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {readPayload} from '../../queue/payload.ts';
import {refuseOtherServers} from '../../queue/probe/retry-limit.ts';
import {hasOwnKey} from '../../queue/saved/check-jobs.ts';
import {rePrefix} from '../../queue/saved/re-prefix.ts';
import type {SavedJob} from '../../queue/saved/saved-queue.ts';
import {ownerOf, takeSnapshot} from '../../queue/snapshot.ts';
import {type CollectOptions, isReplica} from '../live/collect-evidence.ts';
import {contradicts} from '../live/counts.ts';
import {liveStatesToAct, type Recheck, stateIn} from '../live/live-state.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import {STATUSES} from '../model/job.ts';

export interface RestoreOptions extends QueueOptions, CollectOptions {
  jobs: readonly SavedJob[];
  /** Names the copy in messages. */
  origin: string;
  /** Every job goes to this server, which is one of `servers`; null: each to the one that it was saved from. */
  to: GearmanServer | null;
  /** Submits the jobs of another prefix under the site's own. */
  rePrefix: boolean;
  recheck: Recheck;
  signal: AbortSignal;
}

/**
 * `submitted`: no server knows it and its row says Running. `waiting`, `executing`: a server has it. `ended`: its row ended or is
 * gone. `blocked`: a cancelled entry with its key is still in the server, which would swallow it. `refused`: it may be executing, or
 * is not known to be this site's. `failed`: it is not
 * known whether the server took it, or it took it and forgot it. `left`: interrupted before.
 */
export type RestoreAction =
  | 'submitted'
  | 'waiting'
  | 'executing'
  | 'ended'
  | 'blocked'
  | 'refused'
  | 'failed'
  | 'left';

export interface RestoredJob {
  /** null if the payload names no row. */
  id: number | null;
  jobClass: string;
  unique: string;
  /** Where it is submitted, or which server has it; `host:port`. */
  server: string;
  action: RestoreAction;
  message: string;
}

/** A job of the copy, where it would go, and what was found. */
export interface RestoreTarget extends RestoredJob {
  job: SavedJob;
  target: GearmanServer;
  /** Its log has grown since it was saved. */
  began: boolean;
}

/**
 * Finds out what becomes of each job, in the order of the copy. Nothing is touched.
 * @throws AtomctlError if a server does not answer; REFUSED if one is not gearmand, if the database may be a replica, or if the jobs
 *   have another prefix or are another site's; USAGE if
 *   the server that a job was saved from is not one of the site's; for the database
 */
export async function planRestore(options: RestoreOptions): Promise<RestoreTarget[]> {
  const servers = await answeringServers(options);
  await refuseOldRows(options);
  await refuseOtherSite(options);
  const targets = chooseTargets(options, servers);
  const found = await findOnServers(options, servers);
  const rows = await rowsOf(
    options,
    targets.map(({job}) => job),
  );
  const planned = targets.map(({job, target}, index): RestoreTarget => {
    const {jobId} = readPayload(job.payload);
    const known = found[index] ?? null;
    const outcome = known ?? judgeSaved(options.jobs[index]!, judgeRow(job, rows.get(jobId ?? 0)));
    return {
      id: jobId,
      jobClass: splitFunctionName(job.function).jobClass,
      unique: job.unique,
      server: formatAddress(target.address),
      job,
      target,
      began: false,
      ...outcome,
    };
  });
  return onceEach(await withProofs(planned, options));
}

/** A job that an operator had submitted again to another server is in the copy twice. */
function onceEach(planned: readonly RestoreTarget[]): RestoreTarget[] {
  const first = new Map<string, RestoreTarget>();
  return planned.map((each) => {
    if (each.action !== 'submitted') return each;
    const other = first.get(each.unique);
    if (other === undefined) {
      first.set(each.unique, each);
      return each;
    }
    const {server} = other;
    return {...each, server, action: 'waiting', message: `The copy has it twice: it goes to ${server}.`};
  });
}

async function answeringServers({servers}: RestoreOptions): Promise<GearmanServer[]> {
  const answering: GearmanServer[] = [];
  for (const connection of servers) {
    if (!('server' in connection)) {
      const {code, message} = connection.error;
      throw new AtomctlError(code, message, {
        hint: 'It may have the jobs: nothing was restored. If it is gone for good, name the others with --gearman.',
        cause: connection.error,
      });
    }
    await refuseOtherServers(connection.server);
    answering.push(connection.server);
  }
  return answering;
}

/**
 * A replica shows rows as they were: one that has ended may still say Running, and would run again; one that it does not have yet is
 * taken for gone.
 * @throws AtomctlError REFUSED if the database may be one; for the database
 */
export async function refuseOldRows({database}: Pick<RestoreOptions, 'database'>): Promise<void> {
  const [row] = await database.query<{readOnly: number | string}>('SELECT @@global.read_only AS readOnly');
  if (['0', 'OFF'].includes(String(row?.readOnly ?? 0)) && !(await isReplica(database))) return;
  throw new AtomctlError(
    'REFUSED',
    'The database is read-only or a replica: its rows may be old, so a job that has ended could run again. No job was submitted.',
    {hint: 'Give the primary server, not a replica.'},
  );
}

interface Chosen {
  job: SavedJob;
  target: GearmanServer;
}

function chooseTargets(options: RestoreOptions, servers: readonly GearmanServer[]): Chosen[] {
  const byAddress = new Map(servers.map((server) => [formatAddress(server.address), server]));
  return options.jobs.map((saved) => {
    const target = options.to ?? byAddress.get(saved.server);
    if (target === undefined) {
      throw usageError(
        `${options.origin} has jobs of Gearman server ${saved.server}, which is not one of this site's (${[...byAddress.keys()].join(', ')}).`,
        'Say where they go: --to HOST:PORT. Nothing was restored.',
      );
    }
    return {job: underOwnPrefix(saved, options), target};
  });
}

function underOwnPrefix(saved: SavedJob, {prefixes, origin, rePrefix: may}: RestoreOptions): SavedJob {
  const {prefix} = splitFunctionName(saved.function);
  if (ownerOf(splitFunctionName(saved.function), prefixes, new Set()) === 'site') return saved;
  if (may && prefixes.own !== null) return rePrefix(saved, prefixes.own);
  throw otherPrefix(`${origin} has jobs`, {old: prefix, own: prefixes.own});
}

/** Jobs that are known to be another site's are not this site's under an earlier prefix. */
async function refuseOtherSite({
  jobs,
  origin,
  prefixes,
  servers,
  rePrefix: may,
}: RestoreOptions): Promise<void> {
  if (!may) return;
  const saved = jobs.map((job) => splitFunctionName(job.function));
  const snapshot = await takeSnapshot(servers, {connections: true, nowMs: 0});
  const foreign = await prefixes.foreign({...snapshot, functions: [...snapshot.functions, ...saved]});
  const other = saved.find(({prefix}) => prefix !== null && foreign.has(prefix));
  if (other === undefined) return;
  throw new AtomctlError(
    'REFUSED',
    `${origin} has jobs under the function prefix ${other.prefix}, which is another site's.`,
    {hint: 'Nothing was restored. Restore the copy for that site.'},
  );
}

/** Names both prefixes. @param jobs subject of the sentence */
export function otherPrefix(
  jobs: string,
  {old, own}: {old: string | null; own: string | null},
  hint = "Give --re-prefix to submit them under the site's own prefix, or the right one with --function-prefix.",
): AtomctlError {
  const named = own === null ? 'not known' : own || '(none)';
  return new AtomctlError(
    'REFUSED',
    `${jobs} under the function prefix ${old ?? '(none)'}, and this site's is ${named}: no worker of it runs them.`,
    {hint},
  );
}

export type Outcome = Pick<RestoredJob, 'action' | 'message'> & {server?: string; began?: boolean};

const KEYS_AT_A_TIME = 1000;

/** For each job of the copy what the first server that has it says, also under the prefix that it was saved with. */
async function findOnServers(
  options: RestoreOptions,
  servers: readonly GearmanServer[],
): Promise<(Outcome | null)[]> {
  const own = options.jobs.map((saved) => underOwnPrefix(saved, options));
  const found: (Outcome | null)[] = options.jobs.map(() => null);
  for (const server of servers) {
    for (const jobs of [own, options.jobs]) {
      for (const [index, outcome] of (await findJobs(server, jobs)).entries()) found[index] ??= outcome;
      if (own.every((job, index) => job === options.jobs[index])) break;
    }
  }
  return found;
}

/** What a server says of each job, by its key; null if it does not know it. @throws AtomctlError as GearmanServer's requests do */
export async function findJobs(
  server: GearmanServer,
  jobs: readonly SavedJob[],
): Promise<(Outcome | null)[]> {
  const presences = await presencesOf(server, jobs);
  const ignored = await ignoredKeys(server, jobs, presences);
  return presences.map((presence, index) => onServer(server, presence, ignored.has(jobs[index]!.unique)));
}

function onServer(server: GearmanServer, {known, running}: JobPresence, isIgnored: boolean): Outcome | null {
  if (!known) return null;
  const address = formatAddress(server.address);
  if (running) return {action: 'executing', server: address, message: `${address} runs it.`};
  if (!isIgnored) return {action: 'waiting', server: address, message: `It waits on ${address}.`};
  return {
    action: 'blocked',
    server: address,
    message: `${address} still has its cancelled entry, which would swallow it: try again once a worker has polled.`,
  };
}

/** One for each job, in their order. */
export async function presencesOf(
  server: GearmanServer,
  jobs: readonly Pick<SavedJob, 'unique'>[],
): Promise<JobPresence[]> {
  const presences: JobPresence[] = [];
  for (let from = 0; from < jobs.length; from += KEYS_AT_A_TIME) {
    const keys = jobs.slice(from, from + KEYS_AT_A_TIME).map(({unique}) => unique);
    presences.push(...(await server.statusOfUniqueKeys(keys)));
  }
  return presences;
}

/** The keys of cancelled entries among those that the server knows as not running. It shows them only by their handles. */
async function ignoredKeys(
  server: GearmanServer,
  jobs: readonly SavedJob[],
  presences: readonly JobPresence[],
): Promise<Set<string>> {
  const waiting = jobs.filter((_, index) => presences[index]!.known && !presences[index]!.running);
  const ignored = new Set<string>();
  if (waiting.length === 0) return ignored;
  const listed = await server.jobs();
  const cancelled = new Set(listed.filter((job) => job.ignored).map(({handle}) => handle));
  if (cancelled.size === 0) return ignored;
  const handles = new Set(listed.map(({handle}) => handle));
  for (const job of waiting) {
    const handle = await server.handleOf(job);
    if (cancelled.has(handle)) ignored.add(job.unique);
    // It has just gone, and the question has made an entry.
    if (!handles.has(handle)) await server.cancel(handle);
  }
  return ignored;
}

export interface CopiedRow {
  id: number;
  name: string;
  objectId: number | null;
  running: boolean;
  /** Bytes. */
  logLength: number;
}

const ROWS_AT_A_TIME = 1000;

/** The rows that the payloads name, by id. @throws AtomctlError for the database */
export async function rowsOf(
  {database}: Pick<RestoreOptions, 'database'>,
  jobs: readonly SavedJob[],
): Promise<Map<number, CopiedRow>> {
  const ids = [...new Set(jobs.flatMap(({payload}) => readPayload(payload).jobId ?? []))];
  const rows = new Map<number, CopiedRow>();
  for (let from = 0; from < ids.length; from += ROWS_AT_A_TIME) {
    const some = await database.query<{
      id: number;
      name: string | null;
      objectId: number | null;
      running: number;
      bytes: number;
    }>(
      `SELECT id, name, object_id AS objectId, COALESCE(status_id = ?, 0) AS running, COALESCE(LENGTH(output), 0) AS bytes
       FROM job WHERE id IN (?)`,
      [STATUSES.running.termId, ids.slice(from, from + ROWS_AT_A_TIME)],
    );
    for (const {id, name, objectId, running, bytes} of some)
      rows.set(id, {id, name: name ?? '', objectId, running: running === 1, logLength: bytes});
  }
  return rows;
}

/** Under another key than AtoM's a server may have the job all the same. */
function judgeSaved(saved: SavedJob, judged: Outcome): Outcome {
  if (judged.action === 'ended' || hasOwnKey(saved)) return judged;
  return {
    action: 'refused',
    message: 'Its key is not the one that AtoM gives it, so that nothing shows whether a server has it.',
  };
}

const BEGAN = {began: true};

/** For a job that no server knows. */
export function judgeRow(job: SavedJob, row: CopiedRow | undefined): Outcome {
  const payload = readPayload(job.payload);
  if (row === undefined) return {action: 'ended', message: 'It has no row any more.'};
  if (!row.running) return {action: 'ended', message: 'Its row has ended.'};
  const isOfRow =
    mayBeFunctionOf(row.name, splitFunctionName(job.function).jobClass) && !contradicts(payload, row);
  if (!isOfRow) return {action: 'refused', message: `The row with its id is of another job (${row.name}).`};
  if (job.unique === '')
    return {action: 'refused', message: 'It has no key, so that nothing shows whether a server has it.'};
  if (row.logLength !== (job.logLength ?? 0))
    return {
      ...BEGAN,
      action: 'refused',
      message: 'A worker began it after it was saved; it is not proved to be lost.',
    };
  return {action: 'submitted', message: 'No server knows it, and its row says Running.'};
}

/** A job that began since is submitted only if nothing can be working on it. */
async function withProofs(
  planned: readonly RestoreTarget[],
  options: RestoreOptions,
): Promise<RestoreTarget[]> {
  const began = planned.filter((each) => each.began).map(({id}) => id!);
  if (began.length === 0) return [...planned];
  const report = await liveStatesToAct(options, options.recheck, new Set(began));
  return planned.map((each) => {
    if (!each.began || stateIn(report, each.id!) !== 'lost') return each;
    const logLength = report.rows.find(({id}) => id === each.id)!.logLength;
    return {
      ...each,
      // What it logs from now on shows that it executes all the same.
      job: {...each.job, logLength},
      action: 'submitted',
      message: 'A worker began it after it was saved, and it is lost: it begins again.',
    };
  });
}
