/**
 * What a job that the database calls running really is: executing, queued, lost or uncertain.
 *
 * Three facts make it possible to tell without touching the queue. A job that ever started has logged its
 * parameters, from which its unique key follows, and a server answers for a key exactly. Gearman counts the jobs
 * of each function, so what the keys do not explain must belong to rows that never started. And a worker saves
 * the row before it tells Gearman that the job has ended, so a job that no server knows and whose row, read
 * again afterwards, still says running, is lost, unless it has begun and a worker may be working on it that no server
 * knows (live-work.ts). A kill changes the row only after Gearman, but keeps the servers held
 * until then; while any is held, nothing is called lost.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {SiteTime} from '../../atom/site-time.ts';
import type {AtomctlError} from '../../errors.ts';
import type {ServerConnection} from '../../gearman/server.ts';
import type {Queryable} from '../../mysql/database.ts';
import type {SiteProcesses} from '../../processes/site-processes.ts';
import {functionsOfSite, type QueueSnapshot, type SeenFunction, takeSnapshot} from '../../queue/snapshot.ts';
import {type LiveState, STATUSES} from '../model/job.ts';
import {type RunningRow, runningRows} from '../model/running-jobs.ts';
import {findWorkforce, reasonForWork} from './live-work.ts';
import {askForKeys, type FoundJob, type KeyAnswers} from './unique-keys.ts';
import {type Evidence, liveVerdicts, type RowEvidence, type SeenPayload} from './verdict.ts';

/** A row younger than this may be between AtoM's insert and its submission to Gearman. */
const YOUNGEST_LOST_SECONDS = 10;
/** Another atomctl's look at the queue takes some milliseconds a job. */
const PROBE_PATIENCE_MS = 1000;
const PROBE_RETRY_MS = 10;

export interface LiveOptions {
  database: Queryable;
  servers: readonly ServerConnection[];
  /** The site's function prefix; null where it is not known. */
  prefix: string | null;
  time: SiteTime;
  now: () => Date;
  /** Looks at the payloads of the site's queued jobs; not given where the queue must not be touched. */
  probe?: () => Promise<SeenPayload[]>;
  /** The processes on this host that may be working on the site's jobs, as they are now. */
  siteProcesses: () => Promise<SiteProcesses>;
}

/** How a command reaches what the live state rests on, beside the database. */
export type LiveSources = Pick<LiveOptions, 'servers' | 'prefix' | 'now' | 'probe' | 'siteProcesses'>;

export interface LiveReport {
  /** By job id; only of rows that were running both before and after the servers were asked. */
  states: Map<number, LiveState>;
  /** Of rows that are uncertain only because a worker may be working on them: why, one sentence. */
  reasons: Map<number, string>;
  found: Map<number, FoundJob>;
  rows: RunningRow[];
  /** One error for each server that did not answer. */
  missing: AtomctlError[];
  /** False where not a single server answered. */
  answered: boolean;
  /** False where the site's prefix shows no life on any server, so that functions had to be guessed at. */
  own: boolean;
  /** Another atomctl held a server all the while: what it holds cannot be told, nor what is lost. */
  probing: boolean;
}

/**
 * The live state of every running row of the site. Costs two queries and two exchanges with each server, a third
 * where counts have to decide, and one for the workers, with a scan of /proc, if a job has begun that no server knows.
 * A server that does not answer costs certainty, never the report.
 * @throws AtomctlError for the database, or what `probe` throws
 */
export async function liveStates(options: LiveOptions): Promise<LiveReport> {
  const rows = await runningRows({database: options.database, filter: {}});
  const payloads = (await options.probe?.()) ?? [];
  const {snapshot, own, busy, keys, probing} = await collectUnprobed(rows, options);
  const unknown = rows.filter(({id, begun}) => begun && !keys.found.has(id));
  const work = await reasonsForWork(unknown, options);
  const evidence = rows.map((row) => rowEvidence(row, {busy, keys, work: work.reasons}, options));
  const still = evidence.some(needsCounts) ? sameCounts(busy, await takeSnapshot(options.servers)) : true;
  const idsAfter = new Set(await runningIds(options.database));

  const missing = [...snapshot.missing.map(({error}) => error), ...keys.missing, ...work.missing];
  const {states, reasons} = liveVerdicts({
    rows: evidence.filter(({id}) => idsAfter.has(id)),
    counts: countsByQueue(busy),
    complete: missing.length === 0,
    own,
    unchanged: still && idsAfter.size === rows.length && rows.every(({id}) => idsAfter.has(id)),
    probing,
    payloads,
  });
  const answered = snapshot.answered.length > 0;
  return {states, reasons, found: keys.found, rows, missing, answered, own, probing};
}

interface Look {
  snapshot: QueueSnapshot;
  own: boolean;
  /** Functions that may hold jobs of the site, with jobs in them. */
  busy: SeenFunction[];
  keys: KeyAnswers;
  /** Another atomctl held a server. */
  probing: boolean;
}

/** Asks the servers for counts and keys, again for a while where another atomctl holds one. */
async function collectUnprobed(rows: readonly RunningRow[], options: LiveOptions): Promise<Look> {
  for (const deadline = performance.now() + PROBE_PATIENCE_MS; ; await sleep(PROBE_RETRY_MS)) {
    const snapshot = await takeSnapshot(options.servers);
    const {own, functions} = functionsOfSite(snapshot, options.prefix);
    const busy = functions.filter(({total}) => total > 0);
    const keys = await askForKeys(rows, busy);
    const probing = rows.length > 0 && (snapshot.probing || keys.probing);
    if (!probing || performance.now() > deadline) return {snapshot, own, busy, keys, probing};
  }
}

/** For each row that has begun, why a worker may be working on it. Asks nobody if there is no row. */
async function reasonsForWork(rows: readonly RunningRow[], options: LiveOptions) {
  const reasons = new Map<number, string>();
  if (rows.length === 0) return {reasons, missing: []};
  const workforce = await findWorkforce(options);
  for (const row of rows) {
    const reason = reasonForWork(row, workforce, options);
    if (reason !== null) reasons.set(row.id, reason);
  }
  return {reasons, missing: workforce.missing};
}

interface Gathered {
  busy: readonly SeenFunction[];
  keys: KeyAnswers;
  work: ReadonlyMap<number, string>;
}

function rowEvidence(row: RunningRow, {busy, keys, work}: Gathered, options: LiveOptions): RowEvidence {
  const mayHoldIt = busy.filter(({jobClass}) => mayBeFunctionOf(row.name, jobClass));
  return {
    id: row.id,
    queues: new Set(mayHoldIt.map(({queue}) => queue)),
    known: keys.found.get(row.id) ?? null,
    keyAsked: keys.asked.has(row.id),
    young: isYoung(row, options),
    work: work.get(row.id) ?? null,
  };
}

/** Whether the counts will decide: the job may be in Gearman, and there is no key to ask for. */
function needsCounts({queues, known, keyAsked}: RowEvidence): boolean {
  return known === null && !keyAsked && queues.size > 0;
}

/** Whether nothing was seen to move meanwhile in the functions that had jobs. */
function sameCounts(busy: readonly SeenFunction[], later: QueueSnapshot): boolean {
  const laterCounts = countsByQueue(later.functions);
  return busy.every(({queue, total, running}) => {
    const now = laterCounts.get(queue);
    return now?.total === total && now.running === running;
  });
}

/** A row whose start lies in the future, or is not stored, gets the benefit of the doubt too. */
function isYoung({startedAt}: RunningRow, {time, now}: LiveOptions): boolean {
  const startMs = startedAt === null ? Number.NaN : time.toEpochMs(startedAt);
  return !(now().getTime() - startMs >= YOUNGEST_LOST_SECONDS * 1000);
}

async function runningIds(database: Queryable): Promise<number[]> {
  const {termId} = STATUSES.running;
  const rows = await database.query<{id: number}>('SELECT id FROM job WHERE status_id = ?', [termId]);
  return rows.map(({id}) => id);
}

function countsByQueue(functions: readonly SeenFunction[]): Evidence['counts'] {
  return new Map(functions.map(({queue, total, running}) => [queue, {total, running}]));
}
