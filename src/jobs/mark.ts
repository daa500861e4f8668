import type {Queryable} from '../mysql/database.ts';
import type {Transactional} from './delete-jobs.ts';
import {ERROR_NOTE_TYPE_ID, type JobStatus, STATUSES, statusFromTermId} from './status.ts';

export interface MarkOptions {
  database: Transactional;
  id: number;
  /** The status that the decision rests on; a job that has another one by now is left as it is. */
  expected: JobStatus;
  /** The error note's text. */
  note: string;
  /** The culture that the note is in, for instance `en`. */
  culture: string;
  /** Now, on the site's wall clock. */
  nowWall: string;
}

/** What became of the job: marked, changed meanwhile (its status now), or gone meanwhile. */
export type MarkOutcome = {outcome: 'marked'} | {outcome: 'changed'; status: JobStatus} | {outcome: 'gone'};

/** Ends a job in the database as AtoM's setStatusError does: status Error, finished now, an error note. */
export function markJobKilled(options: MarkOptions): Promise<MarkOutcome> {
  const {database, id, expected, nowWall} = options;
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{status_id: number | null}>(
      'SELECT job.status_id FROM job WHERE job.id = ? FOR UPDATE',
      [id],
    );
    if (!row) return {outcome: 'gone'};
    const status = statusFromTermId(row.status_id);
    if (status !== expected) return {outcome: 'changed', status};
    await tx.execute('UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?', [
      STATUSES.error.termId,
      nowWall,
      id,
    ]);
    await tx.execute("UPDATE object SET updated_at = ? WHERE id = ? AND class_name = 'QubitJob'", [
      nowWall,
      id,
    ]);
    await addErrorNote(tx, options);
    return {outcome: 'marked'};
  });
}

/** Sites from before 2021 lack the term of error notes, and the foreign key wants it to exist: then no type. */
async function addErrorNote(tx: Queryable, {id, note, culture}: MarkOptions): Promise<void> {
  await tx.execute(
    `INSERT INTO note (object_id, type_id, source_culture, serial_number)
     VALUES (?, (SELECT term.id FROM term WHERE term.id = ?), ?, 0)`,
    [id, ERROR_NOTE_TYPE_ID, culture],
  );
  await tx.execute('INSERT INTO note_i18n (id, culture, content) VALUES (LAST_INSERT_ID(), ?, ?)', [
    culture,
    note,
  ]);
}
