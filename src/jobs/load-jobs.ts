import type {SiteTime} from '../atom/site-time.ts';
import type {Queryable} from '../mysql/database.ts';
import type {Job, JobNote} from './job.ts';
import {ERROR_NOTE_TYPE_ID, statusFromTermId} from './status.ts';

/** What it takes to say when a job started and how long it has been running. */
export interface JobClock {
  time: SiteTime;
  now: Date;
}

interface JobRow {
  id: number;
  name: string | null;
  status_id: number | null;
  created_at: string | null;
  completed_at: string | null;
  user_id: number | null;
  username: string | null;
  object_id: number | null;
  object_class: string | null;
  slug: string | null;
  download_path: string | null;
  /** null for a job without a note. */
  note_id: number | null;
  type_id: number | null;
  content: string | null;
}

/**
 * The jobs with these ids, in this order, each with its notes, oldest first: one query however many they are. Ids
 * without a row are left out. The log is never read here: it may be 64 KiB a job. `live` is null.
 */
export async function loadJobs(
  options: JobClock & {database: Queryable; ids: readonly number[]},
): Promise<Job[]> {
  const {database, ids, time, now} = options;
  if (ids.length === 0) return [];
  // A note in the culture in which it was written, as AtoM falls back to it. A job with many notes comes as often.
  const rows = await database.query<JobRow>(
    `SELECT job.id, job.name, job.status_id, object.created_at, job.completed_at, job.user_id, user.username,
            job.object_id, target.class_name AS object_class, slug.slug, job.download_path,
            note.id AS note_id, note.type_id, note_i18n.content
     FROM job
     LEFT JOIN object ON object.id = job.id
     LEFT JOIN user ON user.id = job.user_id
     LEFT JOIN object target ON target.id = job.object_id
     LEFT JOIN slug ON slug.object_id = job.object_id
     LEFT JOIN note ON note.object_id = job.id
     LEFT JOIN note_i18n ON note_i18n.id = note.id AND note_i18n.culture = note.source_culture
     WHERE job.id IN (?)`,
    [ids],
  );
  const rowsById = new Map<number, JobRow[]>();
  for (const row of rows) {
    const others = rowsById.get(row.id);
    if (others === undefined) rowsById.set(row.id, [row]);
    else others.push(row);
  }
  return ids.flatMap((id) => {
    const ofJob = rowsById.get(id);
    return ofJob === undefined ? [] : [toJob(ofJob[0]!, notesOf(ofJob), {time, now})];
  });
}

function notesOf(rows: JobRow[]): JobNote[] {
  if (rows[0]!.note_id === null) return [];
  return (
    rows
      .sort((one, other) => one.note_id! - other.note_id!)
      // An object with two slugs brings each of them twice.
      .filter(({note_id: id}, index, all) => index === 0 || id !== all[index - 1]!.note_id)
      .map(({content, type_id: typeId}) => ({text: content ?? '', error: typeId === ERROR_NOTE_TYPE_ID}))
  );
}

function toJob(row: JobRow, notes: JobNote[], clock: JobClock): Job {
  const status = statusFromTermId(row.status_id);
  const startedAt = wallTime(row.created_at);
  const finishedAt = wallTime(row.completed_at);
  return {
    id: row.id,
    name: row.name ?? '',
    status,
    live: null,
    startedAt: startedAt && clock.time.toIso(startedAt),
    finishedAt: finishedAt && clock.time.toIso(finishedAt),
    durationSeconds: durationSeconds({startedAt, finishedAt, running: status === 'running'}, clock),
    user: row.username,
    userId: row.user_id,
    objectId: row.object_id,
    objectType: moduleOf(row.object_class),
    objectSlug: row.slug,
    downloadPath: row.download_path || null,
    notes,
  };
}

/** A stored time, or null for none; a zero date (an older MySQL's way to say NULL) is none either. */
export function wallTime(stored: string | null): string | null {
  return stored === null || stored.startsWith('0000-') ? null : stored;
}

/** Whole seconds from start to end, of a running job to now; null where either is not known. */
export function durationSeconds(
  job: {startedAt: string | null; finishedAt: string | null; running: boolean},
  {time, now}: JobClock,
): number | null {
  if (job.startedAt === null) return null;
  const endMs = job.running ? now.getTime() : time.toEpochMs(job.finishedAt ?? '');
  const seconds = Math.floor((endMs - time.toEpochMs(job.startedAt)) / 1000);
  return Number.isNaN(seconds) ? null : seconds;
}

/** AtoM's module for a class: `QubitInformationObject` is `informationobject`. */
export function moduleOf(className: string | null): string | null {
  return className === null ? null : className.replace('Qubit', '').toLowerCase();
}
