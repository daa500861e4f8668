import {randomBytes} from 'node:crypto';
import {AtomctlError} from '../../errors.ts';
import type {Database, Queryable} from '../../mysql/database.ts';
import {addNote, type RowChange, write} from '../model/change-row.ts';
import {STATUSES} from '../model/job.ts';

export interface NewJob {
  name: string;
  userId: number | null;
  objectId: number | null;
  /** AtoM's note on what the job is about; null if the job has none. */
  description: {note: string; culture: string} | null;
  /** An anonymous visitor's: AtoM gives it a token. The new one is nobody's, but shows what the job is. */
  anonymous: boolean;
  /** The note that names the job that is repeated. */
  note: string;
  culture: string;
  nowWall: string;
  /** What becomes of other rows in the same step, given the id of the new one. */
  changes: (newId: number) => RowChange[];
  /** The job by which another process repeated it meanwhile; null if none did. Asked once the other rows are locked. */
  repeatedBy: (tx: Queryable) => Promise<number | null>;
}

/**
 * `changed`: a row no longer says what was seen; `repeated`: another process made the job `id` to repeat it. In both cases nothing
 * was written. `unknown`: the answer to COMMIT was lost, and the database does not answer.
 */
export type Inserted =
  | {outcome: 'done' | NotDue; id: number}
  | {outcome: 'unknown'; id: number; error: AtomctlError};

type NotDue = 'changed' | 'repeated';

/**
 * Inserts the rows of a job as AtoM's QubitJob::runJob does: object, job, note of the description, for an anonymous visitor
 * the property userToken. In the same transaction the note of the retry is added and other rows change.
 * @throws AtomctlError for the database; nothing was written
 */
export async function insertJob(database: Database, job: NewJob): Promise<Inserted> {
  let newId = 0;
  try {
    await database.transaction(async (tx) => {
      newId = await insertObject(tx, job);
      const changes = job.changes(newId);
      const outcomes = await write(tx, changes);
      const changed = changes.find((_, index) => outcomes[index]!.outcome !== 'done');
      if (changed !== undefined) throw new Cancelled('changed', changed.id);
      const otherId = await job.repeatedBy(tx);
      if (otherId !== null) throw new Cancelled('repeated', otherId);
      await insertRows(tx, newId, job);
    });
    return {outcome: 'done', id: newId};
  } catch (error) {
    if (error instanceof Cancelled) return {outcome: error.outcome, id: error.id};
    if (!(error instanceof AtomctlError) || error.code !== 'COMMIT_UNKNOWN') throw error;
    return readBack(database, newId, job, error);
  }
}

/** Rolls the transaction back. */
class Cancelled extends Error {
  readonly outcome: NotDue;
  readonly id: number;

  constructor(outcome: NotDue, id: number) {
    super();
    this.outcome = outcome;
    this.id = id;
  }
}

async function insertObject(tx: Queryable, {nowWall}: NewJob): Promise<number> {
  await tx.execute(
    "INSERT INTO object (class_name, created_at, updated_at, serial_number) VALUES ('QubitJob', ?, ?, 0)",
    [nowWall, nowWall],
  );
  return lastId(tx);
}

async function insertRows(tx: Queryable, id: number, job: NewJob): Promise<void> {
  await tx.execute('INSERT INTO job (id, name, user_id, object_id, status_id) VALUES (?, ?, ?, ?, ?)', [
    id,
    job.name,
    job.userId,
    job.objectId,
    STATUSES.running.termId,
  ]);
  if (job.description !== null) await addNote(tx, [id], {...job.description, typeId: null});
  if (job.anonymous) await insertToken(tx, id, job.culture);
  await addNote(tx, [id], {note: job.note, culture: job.culture, typeId: null});
}

/** As QubitJob::generateUserTokenProperty: 16 random bytes. */
async function insertToken(tx: Queryable, id: number, culture: string): Promise<void> {
  await tx.execute(
    "INSERT INTO property (object_id, name, source_culture, serial_number) VALUES (?, 'userToken', ?, 0)",
    [id, culture],
  );
  await tx.execute('INSERT INTO property_i18n (id, culture, value) VALUES (?, ?, ?)', [
    await lastId(tx),
    culture,
    randomBytes(16).toString('hex'),
  ]);
}

async function lastId(tx: Queryable): Promise<number> {
  const [row] = await tx.query<{id: number | string}>('SELECT LAST_INSERT_ID() AS id');
  return Number(row!.id);
}

/**
 * Whether a COMMIT without an answer was carried out. The read waits for the locks of a COMMIT that goes on.
 * @throws AtomctlError DATABASE_LOST if it was not
 */
async function readBack(
  database: Database,
  id: number,
  {note}: NewJob,
  {message, hint}: AtomctlError,
): Promise<Inserted> {
  let found: unknown[];
  try {
    await database.reconnect();
    found = await database.query(
      `SELECT id FROM job
       WHERE id = ? AND EXISTS (
         SELECT 1 FROM note JOIN note_i18n ON note_i18n.id = note.id
         WHERE note.object_id = job.id AND note_i18n.content = ?)
       FOR UPDATE`,
      [id, note],
    );
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {outcome: 'unknown', id, error};
  }
  if (found.length === 0) throw new AtomctlError('DATABASE_LOST', message, {hint});
  return {outcome: 'done', id};
}
