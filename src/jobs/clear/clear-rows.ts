import {setTimeout as pause} from 'node:timers/promises';
import {AtomctlError, EXIT} from '../../errors.ts';
import type {Database, Queryable, SqlValue} from '../../mysql/database.ts';
import {deletesDifferByRow} from '../../mysql/delete-rules.ts';
import {lockObjects, rehearseChanges} from '../model/change-row.ts';
import {noJobs} from '../model/count.ts';
import {deleteJobRows} from '../model/delete-jobs.ts';
import {isFiltered, type JobFilter} from '../model/filter.ts';
import {type StatusCounts, statusFromTermId} from '../model/job.ts';
import {deleteDownloads} from './downloads.ts';
import {sharedPaths, unnamed} from './job-files.ts';
import {FIRST_IDS, hasId, MOST_IDS, stillMatching, withoutIds} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';
import type {GoingRow, QueueWindow} from './queue-window.ts';
import {type ReplicaWait, waitForReplicas} from './replica-lag.ts';

export interface ClearOptions {
  database: Database;
  plan: ClearPlan;
  /** The site's downloads directory where the jobs' files are to go too; null leaves all files alone. */
  downloads: string | null;
  /** Jobs in one transaction; null lets it follow from how long the last one took. */
  batchSize: number | null;
  /** Between two transactions, so that others (a replica, the web site) catch up. */
  pauseSeconds: number;
  /** Waited for before each transaction; null for none. */
  replicas: ReplicaWait | null;
  /** Ends the clear after the current transaction. */
  signal: AbortSignal;
  onProgress: (cleared: number) => void;
  /** Asked before each batch. @throws AtomctlError LOCKED if the site's lock was lost */
  checkLock: () => Promise<void>;
}

export interface ClearResult {
  cleared: number;
  byStatus: StatusCounts;
  downloadsDeleted: number;
  downloadsBytes: number;
  /** Download paths that were left alone although no job is left that names them, since they do not lie where AtoM puts a job's file, or cannot be deleted. */
  downloadsKept: string[];
  /** Jobs that stay because their status changed after their history was saved. */
  changedSince: Set<number>;
  /** Jobs that stay because a worker began them after the question. */
  begunSince: Set<number>;
  interrupted: boolean;
  /** What ended the clear early; the counts say what was gone by then. */
  failure: AtomctlError | null;
}

/**
 * Deletes the planned jobs in bounded transactions, in the order of their ids. Each job is checked against the
 * filter again under its lock: one that has changed since (a finished job that runs again) stays.
 * A failure of the database ends the clear and is reported with what was done by then: that stays done.
 * @param queue takes the Gearman jobs of each batch out before its rows go; null leaves Gearman alone
 * @param isTouched something was changed before: workers were asked to stop, or Gearman to cancel jobs
 * @throws AtomctlError REFUSED if no row can be deleted; nothing was changed
 */
export async function clearJobs(
  options: ClearOptions,
  queue: QueueWindow | null,
  isTouched = false,
): Promise<ClearResult> {
  const result: ClearResult = {
    cleared: 0,
    byStatus: noJobs(),
    downloadsDeleted: 0,
    downloadsBytes: 0,
    downloadsKept: [],
    changedSince: new Set(),
    begunSince: new Set(),
    interrupted: false,
    failure: null,
  };
  try {
    await clearBatches(options, queue, result);
  } catch (error) {
    const isUntouched = result.cleared + (queue?.removed ?? 0) === 0 && !isTouched;
    if (!(error instanceof AtomctlError) || (error instanceof Unchangeable && isUntouched)) throw error;
    // Where Gearman is left alone, the first batch is the rehearsal.
    if (isUntouched && queue === null && error.exitStatus === EXIT.failed) throw unchangeable(error);
    result.failure = error;
  }
  return result;
}

async function clearBatches(
  {database, plan, signal, ...options}: ClearOptions,
  queue: QueueWindow | null,
  result: ClearResult,
): Promise<void> {
  const size = new BatchSize(options.batchSize);
  const shared = options.downloads === null ? NO_PATHS : await sharedPaths(database);
  const choice = {plan, result, taken: queue?.taken ?? NONE_TAKEN};
  const alike = queue !== null && !(await deletesDifferByRow(database));
  for (let start = 0; ; ) {
    if (options.replicas !== null) {
      await queue?.close();
      await waitForReplicas(options.replicas, signal);
    }
    if (signal.aborted) {
      result.interrupted = true;
      return;
    }
    if (start >= plan.ids.length) return;
    const batch = plan.ids.subarray(start, start + size.jobs);
    start += batch.length;
    // Read without locks, so that nobody waits if few of them still match.
    const {sql, values} = candidatesStatement(plan.filter, batch);
    const matching = asExported(await database.query<GoingJob>(sql, values), plan, result);
    const candidates = await withoutBegun(database, matching, choice);
    if (candidates.length === 0) continue;
    await options.checkLock();
    if (queue !== null) {
      const going = candidates.map((job) => goingRow(job, queue));
      // The rows of a batch go together: if one cannot, the jobs of the others would be gone for nothing.
      const tried = queue.isOpen || going.some(({queued}) => queued) ? going : going.slice(0, 1);
      await rehearseDeletion(
        database,
        tried.map(({id}) => id),
        {alike},
      );
      await queue.takeJobsOf(going);
      const mayBegin = queue.mayExecute && going.some(({id}) => mayHaveBegun(id, choice));
      if (mayBegin) await pause(LOG_MS, undefined, {signal}).catch(() => {});
    }
    const startedMs = performance.now();
    const gone = await deleteBatch(database, candidates, {...choice, downloads: options.downloads}).catch(
      (error: unknown) => goneAfterLostCommit(database, candidates, error),
    );
    size.learn(performance.now() - startedMs);
    count(gone, result);
    if (options.downloads !== null)
      await deleteFiles(gone, {database, directory: options.downloads, shared}, result);
    options.onProgress(result.cleared);
    if (start >= plan.ids.length) return;
    if (options.pauseSeconds === 0) continue;
    // Nothing is held while nothing is done: jobs that come meanwhile would be begun before those that wait.
    await queue?.close();
    await pause(options.pauseSeconds * 1000, undefined, {signal}).catch(() => {});
  }
}

/** What is counted of a job that goes, and where its file lies. */
interface GoingJob {
  id: number;
  name: string | null;
  object_id: number | null;
  status_id: number | null;
  download_path: string | null;
}

const GOING_JOB = 'job.id, job.name, job.object_id, job.status_id, job.download_path';

function goingRow(
  {id, name, object_id: objectId, status_id: statusId}: GoingJob,
  {waitsEnded}: QueueWindow,
): GoingRow {
  const queued = statusFromTermId(statusId) === 'running' || waitsEnded.has(id);
  return {id, name: name ?? '', objectId, queued};
}

/** The rows cannot be deleted, which was found out before anything was changed. */
class Unchangeable extends AtomctlError {}

function unchangeable(error: AtomctlError): Unchangeable {
  const {message, hint} = error;
  return new Unchangeable('REFUSED', `Jobs cannot be deleted: ${message}`, {hint, cause: error});
}

/**
 * Deletes rows and takes that back: what would prevent it shows before their Gearman jobs go (a read-only server, a trigger, a
 * foreign key of a plugin to one of them).
 * @param options.alike what lets one row be deleted lets each, unless somebody has locked it: then only one is deleted
 * @throws AtomctlError REFUSED if one cannot be deleted
 */
export async function rehearseDeletion(
  database: Database,
  ids: readonly number[],
  {alike = false} = {},
): Promise<void> {
  try {
    const isSampled = alike && ids.length > 1;
    const some = isSampled ? (await database.transaction((tx) => lockRows(tx, ids))).slice(0, 1) : ids;
    const rows = await rehearseChanges(
      database,
      some.map((id) => ({id, seen: null, to: {as: 'deleted'}})),
    );
    for (const row of rows) if (row.outcome === 'failed') throw row.error;
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.exitStatus !== EXIT.failed) throw error;
    throw unchangeable(error);
  }
}

/** @returns those that are there */
async function lockRows(tx: Queryable, ids: readonly number[]): Promise<number[]> {
  await lockObjects(tx, ids);
  const rows = await tx.query<{id: number}>('SELECT id FROM job WHERE id IN (?) ORDER BY id FOR UPDATE', [
    ids,
  ]);
  return rows.map(({id}) => id);
}

/** The statement for those of a batch's jobs that still match. */
export function candidatesStatement(
  filter: JobFilter,
  ids: Iterable<number>,
): {sql: string; values: SqlValue[]} {
  const {join, sql, values} = stillMatching(filter, ids);
  return {sql: `SELECT ${GOING_JOB} FROM job ${join} WHERE ${sql} ORDER BY job.id`, values};
}

/** Without those whose status changed after their history was saved. */
function asExported(
  jobs: readonly GoingJob[],
  {exported}: ClearPlan,
  {changedSince}: Pick<ClearResult, 'changedSince'>,
): GoingJob[] {
  if (exported === undefined) return [...jobs];
  return jobs.filter(({id, status_id: statusId}) => {
    if (hasId(exported.as[statusFromTermId(statusId)], id)) return true;
    changedSince.add(id);
    return false;
  });
}

/** What decides which of the candidates go. */
interface Choice {
  plan: ClearPlan;
  result: ClearResult;
  /** Jobs that were taken out of Gearman: their rows go, since nothing runs them any more. */
  taken: ReadonlySet<number>;
}

/** A worker logs the start of a job within moments of being handed it. */
const LOG_MS = 1000;

const NONE_TAKEN: ReadonlySet<number> = new Set();

/** Without those that a worker began after the question. */
async function withoutBegun(
  database: Queryable,
  jobs: readonly GoingJob[],
  {plan, result, taken}: Choice,
): Promise<GoingJob[]> {
  const ids = jobs.flatMap(({id}) => (mayHaveBegun(id, {plan, taken}) ? id : []));
  if (ids.length === 0) return [...jobs];
  const rows = await database.query<{id: number}>(
    'SELECT id FROM job WHERE id IN (?) AND LENGTH(output) > 0',
    [ids],
  );
  const begun = new Set(rows.map(({id}) => id));
  for (const id of begun) result.begunSince.add(id);
  return jobs.filter(({id}) => !begun.has(id));
}

function mayHaveBegun(id: number, {plan, taken}: Pick<Choice, 'plan' | 'taken'>): boolean {
  return hasId(plan.unbegun, id) && !taken.has(id);
}

/**
 * Deletes those of the candidates that still match, in one transaction. Where there is nothing that could have
 * changed since they were read, no filter, no file and no job that may have begun, they are not locked and read again first: that
 * takes a quarter of the whole.
 */
async function deleteBatch(
  database: Database,
  candidates: GoingJob[],
  {downloads, ...choice}: Choice & {downloads: string | null},
): Promise<GoingJob[]> {
  const {plan} = choice;
  const ids = candidates.map(({id}) => id);
  const locked = () => database.transaction((tx) => deleteMatching(tx, ids, choice));
  const mayStay =
    isFiltered(withoutIds(plan.filter)) ||
    plan.exported !== undefined ||
    ids.some((id) => mayHaveBegun(id, choice));
  if (downloads !== null || mayStay) return locked();
  try {
    await database.transaction((tx) => deleteAll(tx, ids));
    return candidates;
  } catch (error) {
    if (error instanceof SomeWereGone) return locked();
    throw error;
  }
}

/**
 * Which of the candidates are gone if the answer to COMMIT was lost: all that matched, or none. The read waits for a COMMIT that
 * goes on.
 * @throws AtomctlError DATABASE_LOST if none is; COMMIT_UNKNOWN if the server does not answer
 */
async function goneAfterLostCommit(
  database: Database,
  candidates: GoingJob[],
  error: unknown,
): Promise<GoingJob[]> {
  if (!(error instanceof AtomctlError) || error.code !== 'COMMIT_UNKNOWN') throw error;
  const left = await idsLeft(database, candidates).catch(() => {
    throw error;
  });
  if (left.size === candidates.length)
    throw new AtomctlError('DATABASE_LOST', error.message, {hint: error.hint, cause: error});
  return candidates.filter(({id}) => !left.has(id));
}

async function idsLeft(database: Database, candidates: GoingJob[]): Promise<Set<number>> {
  await database.reconnect();
  const ids = candidates.map(({id}) => id);
  const rows = await database.query<{id: number}>('SELECT id FROM job WHERE id IN (?) FOR UPDATE', [ids]);
  return new Set(rows.map(({id}) => id));
}

/** Somebody else deletes at the same time: which candidates this transaction deleted is not known. */
class SomeWereGone extends Error {}

async function deleteAll(tx: Queryable, ids: number[]): Promise<void> {
  if ((await deleteJobRows(tx, ids)) !== ids.length) throw new SomeWereGone();
}

/** Locks those of the candidates that still match, in the order of their ids, and deletes exactly these. */
async function deleteMatching(tx: Queryable, ids: number[], choice: Choice): Promise<GoingJob[]> {
  const {plan, result} = choice;
  await lockObjects(tx, ids);
  const {sql, values} = candidatesStatement(plan.filter, ids);
  const matching = asExported(await tx.query<GoingJob>(`${sql} FOR UPDATE`, values), plan, result);
  const jobs = await withoutBegun(tx, matching, choice);
  await deleteJobRows(
    tx,
    jobs.map(({id}) => id),
  );
  return jobs;
}

/** Counts what a committed transaction deleted. */
function count(gone: GoingJob[], result: ClearResult): void {
  result.cleared += gone.length;
  for (const job of gone) result.byStatus[statusFromTermId(job.status_id)]++;
}

const NO_PATHS: ReadonlySet<string> = new Set();

/** Deletes the files of jobs that are gone: never before their rows, and none that a row names that is left. */
async function deleteFiles(
  gone: GoingJob[],
  {database, directory, shared}: {database: Database; directory: string; shared: ReadonlySet<string>},
  result: ClearResult,
): Promise<void> {
  const named = gone.map((job) => job.download_path ?? '').filter((path) => path !== '');
  const paths = await unnamed(database, named, shared);
  const {count: files, bytes, kept} = await deleteDownloads({directory, paths});
  result.downloadsDeleted += files;
  result.downloadsBytes += bytes;
  result.downloadsKept.push(...kept);
}

/** Short enough that half a second is seldom reached. */
const TRANSACTION_MS = 350;
const FEWEST_JOBS = 100;

/**
 * How many jobs one transaction takes. Unless it is given, it follows the time of the last one, so that locks are
 * held for a third of a second on a fast server and on a slow one; it never more than doubles at once.
 */
export class BatchSize {
  jobs: number;
  readonly #fixed: boolean;

  constructor(given: number | null) {
    this.#fixed = given !== null;
    this.jobs = given ?? FIRST_IDS;
  }

  /** @param milliseconds how long the last transaction took, of as many jobs as it was to take */
  learn(milliseconds: number): void {
    if (this.#fixed) return;
    const wanted = Math.round((this.jobs * TRANSACTION_MS) / Math.max(milliseconds, 1));
    this.jobs = Math.min(Math.max(wanted, FEWEST_JOBS), MOST_IDS, this.jobs * 2);
  }
}
