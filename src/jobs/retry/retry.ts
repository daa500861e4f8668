/** Runs jobs again that have ended or are lost: a new row, and the Gearman job that AtoM would have sent. */
import {AtomctlError, EXIT} from '../../errors.ts';
import type {Database} from '../../mysql/database.ts';
import {phpString} from '../../php/value.ts';
import {changeRows, type RowChange, type RowFailure, type RowOutcome} from '../model/change-row.ts';
import {statusFromTermId} from '../model/job.ts';
import {noteOfLostRetry, noteOfRetried, noteOfRetry} from '../model/own-notes.ts';
import {type Inserted, insertJob} from './new-job.ts';
import {planRetry, type ReadyRetry, type RetryOptions, type RetryTarget} from './plan.ts';
import {relatives} from './relatives.ts';
import {submissionOf} from './submission.ts';
import {chooseServer, type Submitted, submitJob} from './submit.ts';

export interface Retried {
  id: number;
  /** The job that repeats it; null if there is none. */
  newId: number | null;
  /** `refused`: nothing was touched. `failed`: something was, or that is not known. */
  action: 'submitted' | 'refused' | 'failed';
  message: string;
}

export interface RetryResult {
  retried: Retried[];
  /** Ids without a row. */
  unknown: number[];
  /** Jobs were left alone because of a signal. */
  stoppedEarly: boolean;
}

/** What a retry would do to each job, as its result has it, if nothing changes until then. */
export function previewRetry(ids: readonly number[], targets: ReadonlyMap<number, RetryTarget>): Retried[] {
  return [...new Set(ids)].map((id) => {
    const target = targets.get(id);
    if (target === undefined) return refused(id, `There is no job ${id}.`);
    const {verdict} = target;
    if ('refused' in verdict) return refused(id, verdict.refused);
    return {id, newId: null, action: 'submitted', message: verdict.ready.effects.join(' ')};
  });
}

/**
 * Runs each job again on its own; one that is refused does not stop the rest. All checks are made again at first. Between the
 * new row and its Gearman job nothing is interrupted.
 * @param shown what was planned before the question: what was refused then stays refused, and what another process has run again
 *   since is refused too; null if nobody was asked
 * @throws AtomctlError for the database, before anything was changed
 */
export async function retryJobs(
  options: RetryOptions,
  shown: ReadonlyMap<number, RetryTarget> | null,
): Promise<RetryResult> {
  const targets = asShown(shown, await planRetry(options));
  const planned = previewRetry(options.ids, targets);
  const retried: Retried[] = [];
  let stoppedEarly = false;
  for (const plan of planned) {
    const verdict = targets.get(plan.id)?.verdict;
    if (verdict === undefined || 'refused' in verdict) retried.push(plan);
    else if (options.signal.aborted) {
      stoppedEarly = true;
      retried.push(refused(plan.id, `Interrupted: job ${plan.id} was not changed.`));
    } else retried.push(await retryOne(options, targets.get(plan.id)!, verdict.ready));
  }
  const unknown = planned.map(({id}) => id).filter((id) => !targets.has(id));
  return {retried, unknown, stoppedEarly};
}

/** What is planned now, as far as it was shown. */
function asShown(
  shown: ReadonlyMap<number, RetryTarget> | null,
  targets: ReadonlyMap<number, RetryTarget>,
): ReadonlyMap<number, RetryTarget> {
  if (shown === null) return targets;
  const both = new Map<number, RetryTarget>();
  for (const [id, {job, verdict}] of targets) {
    const before = shown.get(id)?.verdict;
    // A row that came since was not shown, whoever named its id.
    if (before !== undefined) both.set(id, {job, verdict: verdictAsShown(before, verdict)});
  }
  return both;
}

function verdictAsShown(before: RetryTarget['verdict'], now: RetryTarget['verdict']): RetryTarget['verdict'] {
  if ('refused' in before) return before;
  if ('refused' in now) return now;
  const refused = changedMeanwhile(before.ready, now.ready);
  return refused === null ? {ready: {...now.ready, relatives: before.ready.relatives}} : {refused};
}

/** Why a job is not as it was shown; null if it is, or if it was run again since, which shows as the new row is inserted. */
function changedMeanwhile(before: ReadyRetry, now: ReadyRetry): string | null {
  if (now.relatives.some((id) => !before.relatives.includes(id))) return null;
  const {id, status, logLength} = now.old;
  const which = `Job ${id} changed meanwhile:`;
  if (status !== before.old.status)
    return `${which} it was ${before.old.status} and is ${status} now. Nothing was done.`;
  if (logLength !== before.old.logLength)
    return `${which} a worker wrote to its log. Nothing was done; run the same command again.`;
  const lost = new Set(before.lost.map((row) => row.id));
  const other = now.lost.find((row) => !lost.has(row.id));
  return other === undefined
    ? null
    : `Job ${other.id} changed meanwhile. Nothing was done; run the same command again.`;
}

async function retryOne(options: RetryOptions, target: RetryTarget, ready: ReadyRetry): Promise<Retried> {
  const {id} = target.job;
  let inserted: Inserted;
  try {
    inserted = await insertRows(options, target, ready);
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return refused(
      id,
      `Job ${id} was not started again: ${[error.message, error.hint].filter(Boolean).join(' ')}`,
    );
  }
  switch (inserted.outcome) {
    case 'changed':
      return refused(
        id,
        `Job ${inserted.id} changed meanwhile. Nothing was done; run the same command again.`,
      );
    case 'repeated':
      return refused(
        id,
        `Job ${id} was run again meanwhile, as job ${inserted.id}. Nothing was done. To see it: atomctl jobs:show ${inserted.id}`,
      );
    case 'unknown': {
      const message =
        `atomctl does not know if a row was created for the retry of job ${id}: ${inserted.error.message} Nothing was sent to Gearman. ` +
        `Run the same command again: if job ${inserted.id} was created, it is found then.`;
      return {id, newId: null, action: 'failed', message};
    }
    case 'done':
      return submitOrMark(options, {id, newId: inserted.id}, ready);
  }
}

async function insertRows(options: RetryOptions, {job}: RetryTarget, ready: ReadyRetry): Promise<Inserted> {
  const {database, time, now, by, reason, culture} = options;
  const nowWall = time.toWall(now());
  const end = {by, nowWall, reason};
  const asError = {as: 'error', culture, nowWall} as const;
  return insertJob(database, {
    name: job.name,
    userId: job.userId,
    objectId: ready.objectId,
    description: await descriptionOf(database, ready, culture),
    anonymous: ready.anonymous,
    note: noteOfRetry(job.id, end),
    culture,
    nowWall,
    changes(newId): RowChange[] {
      const note = noteOfRetried(newId, end);
      const old =
        ready.old.status === 'running' ? {...asError, note} : ({as: 'noted', note, culture} as const);
      const lost = ready.lost.map((row) => ({
        id: row.id,
        seen: row,
        to: {...asError, note: noteOfLostRetry(job.id, end)},
      }));
      return [{id: job.id, seen: ready.old, to: old}, ...lost];
    },
    // A process that was stopped for long has lost the site's lock.
    async repeatedBy(tx) {
      const now = await relatives(tx, job.id);
      return now.find((other) => !ready.relatives.includes(other.id))?.id ?? null;
    },
  });
}

/** AtoM's note of the description, in the culture of the user who started the job. */
async function descriptionOf(
  database: Database,
  {old, parameters}: ReadyRetry,
  culture: string,
): Promise<{note: string; culture: string} | null> {
  const value = parameters.get('description') ?? null;
  if (value === null) return null;
  const note = phpString(value);
  const [row] = await database.query<{culture: string}>(
    `SELECT note.source_culture AS culture FROM note JOIN note_i18n USING (id)
     WHERE note.object_id = ? AND note_i18n.content = ? ORDER BY note.id LIMIT 1`,
    [old.id, note],
  );
  return {note, culture: row?.culture ?? culture};
}

async function submitOrMark(
  options: RetryOptions,
  {id, newId}: {id: number; newId: number},
  ready: ReadyRetry,
): Promise<Retried> {
  const problem = await submissionProblem(options.database, {id, newId});
  if (problem !== null) return {id, newId, action: 'failed', message: problem};
  const submission = submissionOf(ready.parameters, newId, ready.function);
  const server = chooseServer(ready.servers, submission.unique);
  const submitted = await submitJob(server, submission, () => hasBegun(options.database, newId));
  const message = [`Job ${id} was started again as job ${newId}, on ${submitted.server}.`, ready.deletes];
  const done: Retried = {id, newId, action: 'submitted', message: message.filter(Boolean).join(' ')};
  if (submitted.outcome === 'submitted') return done;
  const row = await markAsError(options, newId, submitted);
  // A worker has written to the row since: it has the job.
  if (row.outcome === 'changed') return done;
  const known =
    submitted.outcome === 'absent'
      ? `Gearman did not accept job ${newId}, the retry of job ${id}: ${submitted.reason}`
      : `atomctl does not know if ${submitted.server} has job ${newId}, the retry of job ${id}: ${submitted.reason}`;
  return {id, newId, action: 'failed', message: `${known} ${rowText(newId, row, submitted)}`};
}

function rowText(newId: number, row: RowOutcome | RowFailure, {outcome}: Submitted): string {
  switch (row.outcome) {
    case 'done':
      return outcome === 'absent'
        ? 'Its row is marked as an error. Run the same command again.'
        : 'Its row is marked as an error; if the server has it, a worker runs it and corrects the row.';
    case 'gone':
      return 'Its row was deleted meanwhile.';
    default:
      return `Its row still says Running. To correct it: atomctl jobs:kill ${newId}`;
  }
}

/**
 * Why a new row gets no job, as if it was killed meanwhile, or marked by another retry that took it for lost; null if it gets one.
 * That happens while this process is stopped, or waits for the answer to COMMIT.
 */
async function submissionProblem(
  database: Database,
  {id, newId}: {id: number; newId: number},
): Promise<string | null> {
  const which = `Job ${newId}, the retry of job ${id}, was`;
  try {
    const state = await stateOfNew(database, newId);
    if (state === 'as inserted') return null;
    if (state === 'gone') return `${which} deleted before it was submitted, so Gearman does not have it.`;
    return `${which} ended before it was submitted, so Gearman does not have it. To see it: atomctl jobs:show ${newId}`;
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return `${which} not submitted: ${error.message} Its row still says Running; run the same command again.`;
  }
}

/** Whether a worker has written to the row. */
async function hasBegun(database: Database, id: number): Promise<boolean> {
  return (await stateOfNew(database, id)) === 'written';
}

/** `written`: by a worker, or by somebody who ended the job. It survives a lost connection. */
async function stateOfNew(database: Database, id: number): Promise<'as inserted' | 'written' | 'gone'> {
  const read = async () => {
    const [row] = await database.query<{status_id: number | null; begun: number}>(
      'SELECT status_id, output IS NOT NULL AS begun FROM job WHERE id = ?',
      [id],
    );
    if (row === undefined) return 'gone';
    return row.begun === 1 || statusFromTermId(row.status_id) !== 'running' ? 'written' : 'as inserted';
  };
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code !== 'DATABASE_LOST') throw error;
    await database.reconnect();
    return read();
  }
}

async function markAsError(
  {database, time, now, culture}: RetryOptions,
  id: number,
  {server}: Submitted,
): Promise<RowOutcome | RowFailure> {
  let result: RowOutcome | RowFailure | undefined;
  const note = `Not run: Gearman server ${server} did not confirm that it has the job.`;
  const to = {as: 'error', note, culture, nowWall: time.toWall(now())} as const;
  await changeRows(database, [{id, seen: {status: 'running', logLength: 0}, to}], (outcome) => {
    result = outcome;
    return true;
  });
  return result!;
}

function refused(id: number, message: string): Retried {
  return {id, newId: null, action: 'refused', message};
}

/** How it ends: interrupted, all submitted, some, none because no such job exists, or none because all were refused. */
export function retryExitStatus({retried, unknown, stoppedEarly}: RetryResult): number {
  if (stoppedEarly) return EXIT.interrupted;
  const left = retried.filter(({action}) => action === 'refused');
  if (left.length < retried.length)
    return retried.every(({action}) => action === 'submitted') ? EXIT.ok : EXIT.failed;
  return left.length === unknown.length ? EXIT.noSuchJob : EXIT.refused;
}
