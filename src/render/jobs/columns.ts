import {formatDuration} from '../../duration.ts';
import {type Job, LIVE_STATES, STATUSES} from '../../jobs/model/job.ts';
import type {LastLine} from '../../jobs/model/last-lines.ts';
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

/** A job as the list shows it, with what a column needs of its log. */
export type ListedJob = Job & {lastLine?: LastLine | undefined};

/** The notes; of a job without any the last line of its log. */
function infoText({notes, lastLine}: ListedJob): string {
  return notes.length > 0 ? notes.map(({text}) => text).join(' | ') : (lastLine?.message ?? '');
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
  info: {header: 'INFO', shrinks: true, text: infoText},
  user: {header: 'USER', shrinks: true, text: ({user}) => user ?? ''},
  object: {header: 'OBJECT', shrinks: true, text: objectText},
  activity: {header: 'ACTIVITY', text: ({lastLine}) => wallClock(lastLine?.at ?? null)},
  waited: {header: 'WAITED', align: 'right', text: ({waitedSeconds}) => formatDuration(waitedSeconds)},
  download: {header: 'DOWNLOAD', whole: true, text: ({downloadPath}) => downloadPath ?? ''},
} satisfies Record<string, Column<ListedJob>>;

export type JobColumn = keyof typeof JOB_COLUMNS;
export const JOB_COLUMN_NAMES = Object.keys(JOB_COLUMNS) as JobColumn[];

/** A column's text for a program: durations are seconds. */
export function dataCell(column: JobColumn, job: ListedJob): string {
  if (column === 'duration') return secondsText(job.durationSeconds);
  if (column === 'waited') return secondsText(job.waitedSeconds);
  return JOB_COLUMNS[column].text(job);
}

function secondsText(seconds: number | null): string {
  return seconds === null ? '' : String(seconds);
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
