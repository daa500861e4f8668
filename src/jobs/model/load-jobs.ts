import type {SiteTime} from '../../atom/site-time.ts';
import {inSourceCulture} from '../../mysql/collation.ts';
import type {Database, SqlValue} from '../../mysql/database.ts';
import {ERROR_NOTE_TYPE_ID, type Job, type JobNote, statusFromTermId} from './job.ts';
import {begunTime} from './log.ts';

/** The clock that start times and durations need. */
export interface JobClock {
  time: SiteTime;
  now: Date;
}

export interface LoadOptions extends JobClock {
  database: Database;
  /** Whether `begunAt` and `waitedSeconds` are read, for which the server reads each log. */
  begin?: boolean;
}

/** A statement that selects ids of jobs as `id`. */
export interface Statement {
  sql: string;
  values: SqlValue[];
}

/** A job and one of its notes, null for a job without any. */
type JobRow = readonly [
  id: number,
  name: string | null,
  statusId: number | null,
  createdAt: string | null,
  completedAt: string | null,
  userId: number | null,
  username: string | null,
  objectId: number | null,
  objectClass: string | null,
  slug: string | null,
  downloadPath: string | null,
  noteId: number | null,
  noteType: number | null,
  content: string | null,
  logHead: string | null,
];

const COLUMNS = `job.id, job.name, job.status_id, object.created_at, job.completed_at, job.user_id, user.username,
  job.object_id, target.class_name, slug.slug, job.download_path, note.id, note.type_id, note_i18n.content`;

/** More than the level and the time of the first line. */
const LOG_HEAD = 'LEFT(job.output, 200)';

/** Where each stands in a row. Destructuring is several times slower for thousands of rows. */
const AT = {
  id: 0,
  name: 1,
  statusId: 2,
  createdAt: 3,
  completedAt: 4,
  userId: 5,
  username: 6,
  objectId: 7,
  objectClass: 8,
  slug: 9,
  downloadPath: 10,
  noteId: 11,
  noteType: 12,
  content: 13,
  logHead: 14,
} as const;

interface FoundNote extends JobNote {
  id: number;
  jobId: number;
}

/**
 * The jobs with these ids, in this order, each with its notes, oldest first. Ids without a row are left out.
 */
export async function loadJobs(options: LoadOptions & {ids: readonly number[]}): Promise<Job[]> {
  const {ids} = options;
  if (ids.length === 0) return [];
  const jobs = await loadPage({
    ...options,
    page: {sql: 'SELECT job.id FROM job WHERE job.id IN (?)', values: [ids]},
  });
  return ids.flatMap((id) => jobs.get(id) ?? []);
}

/**
 * The jobs whose ids a statement selects, by id and in no order, each with its notes, oldest first: one query however
 * many they are. Of the log at most the beginning is read: it may be 64 KiB a job. `live` is null.
 */
export async function loadPage(options: LoadOptions & {page: Statement}): Promise<Map<number, Job>> {
  const {database, page, time, now, begin = false} = options;
  const jobs = new Map<number, Job>();
  const notes: FoundNote[] = [];
  // A note in the culture in which it was written, as AtoM falls back to it. A job with many notes comes as often.
  await database.visit(
    `SELECT ${COLUMNS}, ${begin ? LOG_HEAD : 'NULL'}
     FROM (${page.sql}) page
     JOIN job ON job.id = page.id
     LEFT JOIN object ON object.id = job.id
     LEFT JOIN user ON user.id = job.user_id
     LEFT JOIN object target ON target.id = job.object_id
     LEFT JOIN slug ON slug.object_id = job.object_id
     LEFT JOIN note ON note.object_id = job.id
     LEFT JOIN note_i18n ON ${inSourceCulture('note')}`,
    page.values,
    (values) => {
      const row = values as JobRow;
      const jobId = row[AT.id];
      if (!jobs.has(jobId)) jobs.set(jobId, toJob(row, {time, now}));
      const id = row[AT.noteId];
      if (id === null) return;
      notes.push({id, jobId, text: row[AT.content] ?? '', error: row[AT.noteType] === ERROR_NOTE_TYPE_ID});
    },
  );
  addNotes(jobs, notes);
  return jobs;
}

function addNotes(jobs: ReadonlyMap<number, Job>, found: FoundNote[]): void {
  let last: number | null = null;
  for (const {id, jobId, text, error} of found.sort((one, other) => one.id - other.id)) {
    // An object with two slugs brings each note twice.
    if (id !== last) jobs.get(jobId)!.notes.push({text, error});
    last = id;
  }
}

function toJob(row: JobRow, clock: JobClock): Job {
  const status = statusFromTermId(row[AT.statusId]);
  const startedAt = wallTime(row[AT.createdAt]);
  const finishedAt = wallTime(row[AT.completedAt]);
  const begunAt = begunTime(row[AT.logHead] ?? '');
  return {
    id: row[AT.id],
    name: row[AT.name] ?? '',
    status,
    live: null,
    likely: null,
    liveReason: null,
    startedAt: startedAt && clock.time.toIso(startedAt),
    begunAt: begunAt && clock.time.toIso(begunAt),
    finishedAt: finishedAt && clock.time.toIso(finishedAt),
    durationSeconds: durationSeconds({startedAt, finishedAt, running: status === 'running'}, clock),
    waitedSeconds: secondsBetween(startedAt, begunAt, clock),
    user: row[AT.username],
    userId: row[AT.userId],
    objectId: row[AT.objectId],
    objectType: moduleOf(row[AT.objectClass]),
    objectSlug: row[AT.slug],
    downloadPath: row[AT.downloadPath] || null,
    notes: [],
  };
}

/** A stored time, or null for none; a zero date (an older MySQL's way to say NULL) is null too. */
export function wallTime(stored: string | null): string | null {
  return stored === null || stored.startsWith('0000-') ? null : stored;
}

/**
 * Whole seconds from start to end, of a running job to now; null if either is not known, or if the end is before the
 * start: then the timezone is wrong, or the clock was changed.
 */
export function durationSeconds(
  job: {startedAt: string | null; finishedAt: string | null; running: boolean},
  {time, now}: JobClock,
): number | null {
  if (job.startedAt === null) return null;
  const endMs = job.running ? now.getTime() : time.toEpochMs(job.finishedAt ?? '');
  return wholeSeconds(time.toEpochMs(job.startedAt), endMs);
}

/** Whole seconds between two of the site's wall-clock times; null if one is missing, or the second is earlier. */
export function secondsBetween(
  start: string | null,
  end: string | null,
  {time}: Pick<JobClock, 'time'>,
): number | null {
  return wholeSeconds(time.toEpochMs(start ?? ''), time.toEpochMs(end ?? ''));
}

function wholeSeconds(startMs: number, endMs: number): number | null {
  const seconds = Math.floor((endMs - startMs) / 1000);
  return seconds >= 0 ? seconds : null;
}

/** AtoM's module for a class: `QubitInformationObject` is `informationobject`. */
export function moduleOf(className: string | null): string | null {
  return className === null ? null : className.replace('Qubit', '').toLowerCase();
}
