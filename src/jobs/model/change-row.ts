/**
 * The change of one job's row, for kill, mark and doctor --fix: a status with a note, or the end of the row.
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
      /** Now, on the site's wall clock. */
      nowWall: string;
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

/**
 * Changes the row. If the answer to COMMIT is lost, the row is read on a new connection.
 * @throws AtomctlError for the database; then nothing was changed
 */
export async function changeRow(database: Database, change: RowChange): Promise<RowOutcome> {
  try {
    return await database.transaction((tx) => write(tx, change));
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code !== 'COMMIT_UNKNOWN') throw error;
    return readBack(database, change, error);
  }
}

/**
 * Does all that changeRow does, and takes it back: what would prevent the change shows before anything else is touched (a
 * read-only server, a character that the table cannot store, a trigger, a foreign key of a plugin).
 * @throws AtomctlError for the database
 */
export async function rehearseChange(database: Database, change: RowChange): Promise<RowOutcome> {
  let outcome: RowOutcome | undefined;
  try {
    return await database.transaction(async (tx) => {
      outcome = await write(tx, change);
      throw new Rehearsed();
    });
  } catch (error) {
    if (error instanceof Rehearsed && outcome !== undefined) return outcome;
    throw error;
  }
}

/** Rolls the transaction of a rehearsal back. */
class Rehearsed extends Error {}

async function write(tx: Queryable, {id, seen, to}: RowChange): Promise<RowOutcome> {
  await tx.query("SELECT id FROM object WHERE id = ? AND class_name = 'QubitJob' FOR UPDATE", [id]);
  const [row] = await tx.query<{status_id: number | null; log_length: number | null}>(
    'SELECT status_id, LENGTH(output) AS log_length FROM job WHERE id = ? FOR UPDATE',
    [id],
  );
  if (!row) return {outcome: 'gone'};
  const status = statusFromTermId(row.status_id);
  const logGrew = seen?.logLength !== undefined && (row.log_length ?? 0) !== seen.logLength;
  if (seen !== null && (status !== seen.status || logGrew)) return {outcome: 'changed', status};
  if (to.as === 'deleted') await deleteJobRows(tx, [id]);
  else await mark(tx, id, to);
  return {outcome: 'done'};
}

async function mark(tx: Queryable, id: number, to: Exclude<NewRow, {as: 'deleted'}>): Promise<void> {
  await tx.execute("UPDATE object SET updated_at = ? WHERE id = ? AND class_name = 'QubitJob'", [
    to.nowWall,
    id,
  ]);
  await tx.execute('UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?', [
    STATUSES[to.as].termId,
    to.nowWall,
    id,
  ]);
  // Sites from before 2021 lack the term of error notes, and the foreign key needs it to exist: then no type.
  await tx.execute(
    `INSERT INTO note (object_id, type_id, source_culture, serial_number)
     VALUES (?, (SELECT term.id FROM term WHERE term.id = ?), ?, 0)`,
    [id, to.as === 'error' ? ERROR_NOTE_TYPE_ID : null, to.culture],
  );
  await tx.execute('INSERT INTO note_i18n (id, culture, content) VALUES (LAST_INSERT_ID(), ?, ?)', [
    to.culture,
    to.note,
  ]);
}

/**
 * Whether a COMMIT without an answer was carried out. The read waits for the lock of a COMMIT that goes on.
 * @throws AtomctlError DATABASE_LOST if it was not
 */
async function readBack(
  database: Database,
  {id, seen, to}: RowChange,
  {message, hint}: AtomctlError,
): Promise<RowOutcome> {
  try {
    await database.reconnect();
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
    if (status !== seen?.status) return {outcome: 'changed', status};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {outcome: 'unknown', error};
  }
  throw new AtomctlError('DATABASE_LOST', message, {hint});
}
