import {formatDuration} from '../../duration.ts';
import {type Job, LIVE_STATES, STATUSES} from '../../jobs/model/job.ts';
import type {Column} from '../table.ts';

/** An ISO time with offset as the site's wall clock, as AtoM shows it. */
export function wallClock(iso: string | null): string {
  return iso === null ? '' : `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

/** As `ls -l` has it: the time for today, the day and the time for this year, otherwise the date. */
export function shortClock(iso: string | null, now: string): string {
  if (iso === null || iso.slice(0, 4) !== now.slice(0, 4)) return wallClock(iso).slice(0, 10);
  return iso.slice(0, 10) === now.slice(0, 10) ? wallClock(iso).slice(11) : wallClock(iso).slice(5, 16);
}

/** The job's object: its slug, or its type and id if it has no slug. */
function objectText({objectSlug, objectType, objectId}: Job): string {
  return objectSlug ?? (objectId === null ? '' : `${objectType ?? 'object'} ${objectId}`);
}

/** Every column that jobs:list knows, by the name that --columns takes. */
export const JOB_COLUMNS = {
  id: {header: 'ID', align: 'right', text: ({id}) => String(id)},
  started: {header: 'STARTED', text: ({startedAt}) => wallClock(startedAt)},
  finished: {header: 'FINISHED', text: ({finishedAt}) => wallClock(finishedAt)},
  duration: {
    header: 'DURATION',
    align: 'right',
    text: ({durationSeconds}) => formatDuration(durationSeconds),
  },
  name: {header: 'NAME', shrinks: true, keeps: 24, text: ({name}) => name},
  status: {header: 'STATUS', text: ({status}) => status, color: ({status}) => STATUSES[status].color},
  live: {
    header: 'LIVE',
    text: ({live, likely}) => (likely === null ? (live ?? '') : `${likely}?`),
    color: ({live}) => (live === null ? undefined : LIVE_STATES[live].color),
  },
  info: {header: 'INFO', shrinks: true, text: ({notes}) => notes.map(({text}) => text).join(' | ')},
  user: {header: 'USER', shrinks: true, text: ({user}) => user ?? ''},
  object: {header: 'OBJECT', shrinks: true, text: objectText},
  download: {header: 'DOWNLOAD', shrinks: true, text: ({downloadPath}) => downloadPath ?? ''},
} satisfies Record<string, Column<Job>>;

export type JobColumn = keyof typeof JOB_COLUMNS;
export const JOB_COLUMN_NAMES = Object.keys(JOB_COLUMNS) as JobColumn[];

/** A column's text for a program: durations are seconds. */
export function dataCell(column: JobColumn, job: Job): string {
  if (column === 'duration') return job.durationSeconds === null ? '' : String(job.durationSeconds);
  return JOB_COLUMNS[column].text(job);
}

/** The columns that are shown by default. */
export const DEFAULT_JOB_COLUMNS: readonly JobColumn[] = [
  'id',
  'started',
  'duration',
  'name',
  'status',
  'live',
  'info',
  'user',
];
