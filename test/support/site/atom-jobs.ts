import type {Connection, ResultSetHeader} from 'mysql2/promise';
import {ERROR_NOTE_TYPE_ID, type JobStatus, STATUSES} from '../../../src/jobs/model/job.ts';

export interface InsertNote {
  text: string;
  error?: boolean;
  culture?: string;
  /** The same note in other cultures, which atomctl is not to show. */
  translations?: Readonly<Record<string, string>>;
}

/** A job as a test wants it; times are wall-clock texts in the site's zone. */
export interface InsertJob {
  name?: string;
  status?: JobStatus;
  startedAt?: string;
  finishedAt?: string | null;
  userId?: number | null;
  objectId?: number | null;
  notes?: readonly InsertNote[];
  output?: string | null;
  downloadPath?: string | null;
  /** Stored as an anonymous visitor's job has it: a secret that must never be shown. */
  userToken?: string;
}

/** The administrator of every sandbox site. */
export const ADMIN_ID = 448;

const DEFAULTS = {
  name: 'arFindingAidJob',
  status: 'completed' as JobStatus,
  startedAt: '2026-03-04 13:05:00',
  userId: ADMIN_ID as number | null,
};

/** Inserts object, job, notes and properties, one after the other as AtoM saves them. Returns the job's id. */
export async function insertJob(connection: Connection, job: InsertJob): Promise<number> {
  const {name, status, startedAt, userId} = {...DEFAULTS, ...job};
  const finishedAt = job.finishedAt === undefined ? defaultEnd(status, startedAt) : job.finishedAt;
  const id = await insert(
    connection,
    "INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitJob', ?, ?)",
    [startedAt, finishedAt ?? startedAt],
  );
  await insert(
    connection,
    'INSERT INTO job (id, name, download_path, completed_at, user_id, object_id, status_id, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [
      id,
      name,
      job.downloadPath ?? null,
      finishedAt,
      userId,
      job.objectId ?? null,
      STATUSES[status].termId,
      job.output ?? null,
    ],
  );
  for (const note of job.notes ?? []) await insertNote(connection, id, note);
  if (job.userToken !== undefined) await insertProperty(connection, id, 'userToken', job.userToken);
  return id;
}

async function insertNote(connection: Connection, objectId: number, note: InsertNote): Promise<void> {
  const culture = note.culture ?? 'en';
  const id = await insert(
    connection,
    'INSERT INTO note (object_id, type_id, source_culture) VALUES (?, ?, ?)',
    [objectId, note.error ? ERROR_NOTE_TYPE_ID : null, culture],
  );
  for (const [language, text] of Object.entries({...note.translations, [culture]: note.text})) {
    await insert(connection, 'INSERT INTO note_i18n (id, culture, content) VALUES (?, ?, ?)', [
      id,
      language,
      text,
    ]);
  }
}

async function insertProperty(
  connection: Connection,
  objectId: number,
  name: string,
  value: string,
): Promise<void> {
  const id = await insert(
    connection,
    "INSERT INTO property (object_id, name, source_culture) VALUES (?, ?, 'en')",
    [objectId, name],
  );
  await insert(connection, "INSERT INTO property_i18n (id, culture, value) VALUES (?, 'en', ?)", [id, value]);
}

async function insert(connection: Connection, sql: string, values: readonly unknown[]): Promise<number> {
  const [result] = await connection.query<ResultSetHeader>(sql, [...values]);
  return result.insertId;
}

function defaultEnd(status: JobStatus, startedAt: string): string | null {
  return status === 'running' ? null : startedAt;
}

const SEED_BATCH = 20_000;

/**
 * Inserts `count` finished jobs, a minute apart up to the end of 2025: nine in ten completed, the tenth failed;
 * every third with one note, every fifth without a user; logs of a few lines. Made inside the server, in
 * batches, so that a million take seconds. Returns the first id.
 */
export async function seedJobs(connection: Connection, count: number): Promise<number> {
  const [rows] = await connection.query('SELECT COALESCE(MAX(id), 0) + 1 AS first FROM object');
  const first = (rows as {first: number}[])[0]!.first;
  for (let offset = 0; offset < count; offset += SEED_BATCH) {
    const from = first + offset;
    const to = first + Math.min(offset + SEED_BATCH, count) - 1;
    const numbers = `seq_${from}_to_${to}`;
    const start = `'2025-12-31 23:00:00' - INTERVAL ${first + count} - seq MINUTE`;
    await connection.query(`
      START TRANSACTION;
      INSERT INTO object (id, class_name, created_at, updated_at)
        SELECT seq, 'QubitJob', ${start}, ${start} FROM ${numbers};
      INSERT INTO job (id, name, completed_at, user_id, object_id, status_id, output)
        SELECT seq,
          ELT(1 + seq % 4, 'arFindingAidJob', 'CSV export', 'arUpdatePublicationStatusJob', 'arFileImportJob'),
          ${start} + INTERVAL seq % 3600 SECOND, IF(seq % 5 = 0, NULL, 448), IF(seq % 2 = 0, 512, NULL),
          IF(seq % 10 = 0, 185, 184),
          CONCAT('[info] [', ${start} + INTERVAL seq % 60 SECOND, '] Job ', seq, ' "arFindingAidJob": Job started.\\n',
                 '[info] [', ${start} + INTERVAL seq % 3600 SECOND, '] Job ', seq, ' "arFindingAidJob": Job finished.\\n')
        FROM ${numbers};
      INSERT INTO note (object_id, type_id, source_culture)
        SELECT seq, IF(seq % 10 = 0, 197, NULL), 'en' FROM ${numbers} WHERE seq % 3 = 0;
      INSERT INTO note_i18n (id, culture, content)
        SELECT note.id, 'en', CONCAT('Note of job ', object_id) FROM note
        WHERE object_id BETWEEN ${from} AND ${to};
      COMMIT`);
  }
  return first;
}
