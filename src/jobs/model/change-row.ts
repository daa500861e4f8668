/**
 * The change of jobs' rows, for kill, mark, retry and doctor --fix: a status with a note, a note alone, or the end of the row.
 *
 * A worker's log line is an UPDATE of its job's row, so a lock on it is held only for the short transaction here. It locks
 * `object` before `job`, as AtoM's own saves do; in the other order the two deadlock.
 */
import {AtomctlError} from '../../errors.ts';
import type {Database, Queryable} from '../../mysql/database.ts';
import {deleteJobRows} from './delete-jobs.ts';
import {ERROR_NOTE_TYPE_ID, type JobStatus, STATUSES, statusFromTermId} from './job.ts';

/** What a row becomes: as AtoM's setStatusError and setStatusCompleted leave it, with a note; or nothing. */
export type NewRow =
  | {
      as: 'completed' | 'error';
      /** The note's text. */
      note: string;
      /** The culture that the note is in, for instance `en`. */
      culture: string;
      /** Now, on the site's wall clock: the time of its end, unless it has ended before. */
      nowWall: string;
      /** When it finished, if its log says so and the row does not; null or absent if this is not known. */
      finishedAt?: string | null;
    }
  | {
      /** The row keeps its status, and gets a note. */
      as: 'noted';
      note: string;
      culture: string;
    }
  | {as: 'deleted'};

export interface RowChange {
  id: number;
  /** What the decision rests on: a row that has changed since is left as it is. null if it rests on nothing. */
  seen: {
    status: JobStatus;
    /** Bytes of its log; absent if the log does not matter. */
    logLength?: number;
  } | null;
  to: NewRow;
}

/**
 * What became of the row. `changed`: it no longer says what was seen, and was left as it is; `gone`: there is no row;
 * `unknown`: the answer to COMMIT was lost, and the server does not answer.
 */
export type RowOutcome =
  | {outcome: 'done'}
  | {outcome: 'changed'; status: JobStatus}
  | {outcome: 'gone'}
  | {outcome: 'unknown'; error: AtomctlError};

/** The row could not be changed, and is as it was. */
export interface RowFailure {
  outcome: 'failed';
  error: AtomctlError;
}

/** Rows that are changed in one transaction: few enough that a worker's log line hardly waits for it. */
const AT_A_TIME = 100;

/**
 * Changes rows, in short transactions of several. A row that cannot be changed does not keep the others from being changed. If the
 * answer to COMMIT is lost, the rows are read on a new connection; if the connection is lost before, they are changed on a new one.
 * @param done called with each outcome, in order, as soon as it is known; false ends the work before the next transaction
 * @throws AtomctlError only if `done` does
 */
export async function changeRows(
  database: Database,
  changes: readonly RowChange[],
  done: (outcome: RowOutcome | RowFailure, index: number) => boolean | undefined,
): Promise<void> {
  for (let from = 0; from < changes.length; from += AT_A_TIME) {
    const batch = changes.slice(from, from + AT_A_TIME);
    const outcomes = await eachOrAll(batch, (some) => commitDespiteLoss(database, some));
    const goesOn = outcomes.map((outcome, index) => done(outcome, from + index));
    if (goesOn.includes(false)) return;
  }
}

/** The same for one row. @throws AtomctlError for the database; then nothing was changed */
export async function changeRow(database: Database, change: RowChange): Promise<RowOutcome> {
  const [outcome] = await commit(database, [change]);
  return outcome!;
}

/**
 * Does all that changeRows does, and takes it back: what would prevent a change shows before anything else is touched (a
 * read-only server, a character that the table cannot store, a trigger, a foreign key of a plugin).
 */
export async function rehearseChanges(
  database: Database,
  changes: readonly RowChange[],
): Promise<(RowOutcome | RowFailure)[]> {
  const outcomes: (RowOutcome | RowFailure)[] = [];
  for (let from = 0; from < changes.length; from += AT_A_TIME) {
    const batch = changes.slice(from, from + AT_A_TIME);
    outcomes.push(...(await eachOrAll(batch, (some) => rehearse(database, some))));
  }
  return outcomes;
}

/** All at once, or if that fails one by one, so that one row's failure is not the others'. */
async function eachOrAll(
  changes: readonly RowChange[],
  change: (some: readonly RowChange[]) => Promise<RowOutcome[]>,
): Promise<(RowOutcome | RowFailure)[]> {
  try {
    return await change(changes);
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    if (changes.length === 1 || AWAY.has(error.code)) return changes.map(() => ({outcome: 'failed', error}));
  }
  const outcomes: (RowOutcome | RowFailure)[] = [];
  for (const each of changes) {
    const [one, other] = outcomes.slice(-2).map((last) => ('error' in last ? last.error : null));
    // Each wait for a lock takes its time: whoever locks two rows is taken to lock the others.
    if (one?.code === 'DATABASE_BUSY' && other?.code === 'DATABASE_BUSY')
      outcomes.push({outcome: 'failed', error: other});
    else outcomes.push(...(await eachOrAll([each], change)));
  }
  return outcomes;
}

/** What no other row would fare better with. */
const AWAY: ReadonlySet<string> = new Set(['DATABASE_LOST', 'DATABASE_TIMEOUT']);

/**
 * A kill has taken the jobs out of Gearman by now: if the connection is lost, which takes the change back, it is made on a new one.
 * A row that somebody changed meanwhile is left as it is.
 */
async function commitDespiteLoss(database: Database, changes: readonly RowChange[]): Promise<RowOutcome[]> {
  try {
    return await commit(database, changes);
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code !== 'DATABASE_LOST') throw error;
    await database.reconnect().catch(() => {
      throw error;
    });
    return commit(database, changes);
  }
}

async function commit(database: Database, changes: readonly RowChange[]): Promise<RowOutcome[]> {
  try {
    return await database.transaction((tx) => write(tx, changes));
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code !== 'COMMIT_UNKNOWN') throw error;
    return readBack(database, changes, error);
  }
}

async function rehearse(database: Database, changes: readonly RowChange[]): Promise<RowOutcome[]> {
  let outcomes: RowOutcome[] | undefined;
  try {
    return await database.transaction(async (tx) => {
      outcomes = await write(tx, changes);
      throw new Rehearsed();
    });
  } catch (error) {
    if (error instanceof Rehearsed && outcomes !== undefined) return outcomes;
    throw error;
  }
}

/** Rolls the transaction of a rehearsal back. */
class Rehearsed extends Error {}

/** The changes inside the caller's transaction. @returns what becomes of each row if it is committed */
export async function write(tx: Queryable, changes: readonly RowChange[]): Promise<RowOutcome[]> {
  const ids = changes.map(({id}) => id);
  const own = new Set(await lockObjects(tx, ids));
  const rows = await tx.query<{id: number; status_id: number | null; log_length: number | null}>(
    'SELECT id, status_id, LENGTH(output) AS log_length FROM job WHERE id IN (?) ORDER BY id FOR UPDATE',
    [ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const outcomes = changes.map(({id, seen}): RowOutcome => {
    const row = byId.get(id);
    if (row === undefined) return {outcome: 'gone'};
    const status = statusFromTermId(row.status_id);
    const logGrew = seen?.logLength !== undefined && (row.log_length ?? 0) !== seen.logLength;
    if (seen !== null && (status !== seen.status || logGrew)) return {outcome: 'changed', status};
    return {outcome: 'done'};
  });
  const toChange = changes.filter((_, index) => outcomes[index]!.outcome === 'done');
  for (const [to, same] of groupByTarget(toChange)) {
    if (to.as === 'deleted') await deleteJobRows(tx, same);
    else await markWithNote(tx, same, {own, to});
  }
  return outcomes;
}

/**
 * `object` is locked before `job`, as AtoM's own saves do: in the other order the two deadlock.
 * @returns those that are jobs: a row that an old restore or a hand-made change left without its object may have the id of a description
 */
export async function lockObjects(tx: Queryable, ids: readonly number[]): Promise<number[]> {
  const objects = await tx.query<{id: number}>(
    "SELECT id FROM object WHERE id IN (?) AND class_name = 'QubitJob' ORDER BY id FOR UPDATE",
    [ids],
  );
  return objects.map(({id}) => id);
}

/** The ids of the rows that become the same. */
function groupByTarget(changes: readonly RowChange[]): [NewRow, number[]][] {
  const groups = new Map<string, [NewRow, number[]]>();
  for (const {id, to} of changes) {
    const key = JSON.stringify(to);
    const [, ids] = groups.get(key) ?? [to, []];
    ids.push(id);
    groups.set(key, [to, ids]);
  }
  return [...groups.values()];
}

/** @param own the jobs whose `object` row is a job's: no other object gets a note */
async function markWithNote(
  tx: Queryable,
  ids: readonly number[],
  {own, to}: {own: ReadonlySet<number>; to: Extract<NewRow, {note: string}>},
): Promise<void> {
  const noted = ids.filter((id) => own.has(id));
  if (to.as !== 'noted') {
    await mark(tx, ids, to);
    return addNote(tx, noted, {...to, typeId: to.as === 'error' ? ERROR_NOTE_TYPE_ID : null});
  }
  const other = ids.find((id) => !own.has(id));
  if (other !== undefined)
    throw new AtomctlError('REFUSED', `Job ${other} cannot get a note: the object with its id is not a job.`);
  await addNote(tx, noted, {...to, typeId: null});
}

async function mark(
  tx: Queryable,
  ids: readonly number[],
  to: Extract<NewRow, {nowWall: string}>,
): Promise<void> {
  await tx.execute("UPDATE object SET updated_at = ? WHERE id IN (?) AND class_name = 'QubitJob'", [
    to.nowWall,
    ids,
  ]);
  // A row that has ended keeps the time of its end. The old status is read, since it is assigned last.
  await tx.execute(
    `UPDATE job SET completed_at = IF(status_id = ? OR completed_at IS NULL, ?, completed_at), status_id = ?
     WHERE id IN (?)`,
    [STATUSES.running.termId, to.finishedAt ?? to.nowWall, STATUSES[to.as].termId, ids],
  );
}

/** Adds a note to each of these jobs, whose `object` rows are locked, as AtoM's addNoteText does. */
export async function addNote(
  tx: Queryable,
  ids: readonly number[],
  {note, culture, typeId}: {note: string; culture: string; typeId: number | null},
): Promise<void> {
  if (ids.length === 0) return;
  const [before] = await tx.query<{last: number}>(
    'SELECT COALESCE(MAX(id), 0) AS last FROM note WHERE object_id IN (?)',
    [ids],
  );
  // Sites from before 2021 lack the term of error notes, and the foreign key needs it to exist: then no type.
  await tx.execute(
    `INSERT INTO note (object_id, type_id, source_culture, serial_number)
     SELECT id, (SELECT term.id FROM term WHERE term.id = ?), ?, 0 FROM job WHERE id IN (?)`,
    [typeId, culture, ids],
  );
  // Nobody else can add a note to these jobs: its foreign key waits for the lock on their objects.
  await tx.execute(
    'INSERT INTO note_i18n (id, culture, content) SELECT id, ?, ? FROM note WHERE object_id IN (?) AND id > ?',
    [culture, note, ids, before!.last],
  );
}

/**
 * Whether a COMMIT without an answer was carried out. The read waits for the locks of a COMMIT that goes on.
 * @throws AtomctlError DATABASE_LOST if it was not
 */
async function readBack(
  database: Database,
  changes: readonly RowChange[],
  {message, hint}: AtomctlError,
): Promise<RowOutcome[]> {
  let outcomes: (RowOutcome | null)[];
  try {
    await database.reconnect();
    outcomes = [];
    for (const change of changes) outcomes.push(await readOne(database, change));
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return changes.map(() => ({outcome: 'unknown', error}));
  }
  if (outcomes.includes(null)) throw new AtomctlError('DATABASE_LOST', message, {hint});
  return outcomes.filter((outcome) => outcome !== null);
}

/** null if the row is as it was. */
async function readOne(database: Database, {id, seen, to}: RowChange): Promise<RowOutcome | null> {
  const [row] = await database.query<{status_id: number | null; ours: number}>(
    `SELECT status_id, EXISTS (
       SELECT 1 FROM note JOIN note_i18n ON note_i18n.id = note.id
       WHERE note.object_id = job.id AND note_i18n.content = ?) AS ours
     FROM job WHERE id = ? FOR UPDATE`,
    [to.as === 'deleted' ? '' : to.note, id],
  );
  if (to.as === 'deleted' ? row === undefined : row?.ours === 1) return {outcome: 'done'};
  if (row === undefined) return {outcome: 'gone'};
  const status = statusFromTermId(row.status_id);
  return status === seen?.status ? null : {outcome: 'changed', status};
}
