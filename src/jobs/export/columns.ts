import {STATUSES, statusFromTermId} from '../model/job.ts';
import {durationSeconds, type JobClock, moduleOf, wallTime} from '../model/load-jobs.ts';

/** A job as the export reads it: stored texts, nothing converted. */
export interface HistoryRecord {
  id: number;
  name: string | null;
  statusId: number | null;
  createdAt: string | null;
  completedAt: string | null;
  user: string | null;
  objectId: number | null;
  objectClass: string | null;
  slug: string | null;
  /** In no particular order. */
  notes: {id: number; text: string}[];
}

/** What a column reads beyond `job` and its start: the tables that the export joins for it alone. */
export type Needs = 'user' | 'target' | 'notes';

interface HistoryColumnSpec {
  needs?: Needs;
  cell: (record: HistoryRecord, clock: JobClock) => string;
}

/** AtoM's own columns first, as its web export writes them; then those that jobs:list shows. */
export const HISTORY_COLUMNS = {
  startDate: {cell: ({createdAt}) => atomDate(createdAt)},
  endDate: {cell: ({completedAt}) => atomDate(completedAt)},
  jobName: {cell: ({name}) => name ?? ''},
  jobStatus: {cell: ({statusId}) => STATUSES[statusFromTermId(statusId)].csvLabel},
  jobInfo: {needs: 'notes', cell: ({notes}) => noteTexts(notes)},
  jobUser: {needs: 'user', cell: ({user}) => user ?? 'None'},
  id: {cell: ({id}) => String(id)},
  started: {cell: ({createdAt}) => wallTime(createdAt) ?? ''},
  finished: {cell: ({completedAt}) => wallTime(completedAt) ?? ''},
  duration: {cell: (record, clock) => durationCell(record, clock)},
  name: {cell: ({name}) => name ?? ''},
  status: {cell: ({statusId}) => statusFromTermId(statusId)},
  info: {needs: 'notes', cell: ({notes}) => noteTexts(notes)},
  user: {needs: 'user', cell: ({user}) => user ?? ''},
  object: {needs: 'target', cell: (record) => objectCell(record)},
} satisfies Record<string, HistoryColumnSpec>;

export type HistoryColumn = keyof typeof HISTORY_COLUMNS;
export const HISTORY_COLUMN_NAMES = Object.keys(HISTORY_COLUMNS) as HistoryColumn[];

/** The columns of AtoM's own export, in its order. */
export const ATOM_COLUMNS: readonly HistoryColumn[] = [
  'startDate',
  'endDate',
  'jobName',
  'jobStatus',
  'jobInfo',
  'jobUser',
];

const TWELVE_HOUR_CLOCK = Array.from({length: 24}, (_, hour) => ({
  hour: String(hour % 12 || 12).padStart(2, '0'),
  half: hour < 12 ? 'AM' : 'PM',
}));

/** PHP's `Y-m-d h:i A` of a stored time, `N/A` for none. Text to text: it runs twice for every row. */
export function atomDate(stored: string | null): string {
  const wall = wallTime(stored);
  if (wall === null) return 'N/A';
  const {hour, half} = TWELVE_HOUR_CLOCK[Number(wall.slice(11, 13))]!;
  return `${wall.slice(0, 10)} ${hour}${wall.slice(13, 16)} ${half}`;
}

/** Oldest first. The export's statement orders by job alone, which the primary key serves without a sort. */
function noteTexts(notes: HistoryRecord['notes']): string {
  return notes
    .sort((a, b) => a.id - b.id)
    .map(({text}) => text)
    .join(' | ');
}

/** Whole seconds, which a spreadsheet can add up. */
function durationCell(record: HistoryRecord, clock: JobClock): string {
  const seconds = durationSeconds(
    {
      startedAt: wallTime(record.createdAt),
      finishedAt: wallTime(record.completedAt),
      running: statusFromTermId(record.statusId) === 'running',
    },
    clock,
  );
  return seconds === null ? '' : String(seconds);
}

function objectCell({slug, objectId, objectClass}: HistoryRecord): string {
  if (objectId === null) return '';
  return slug ?? `${moduleOf(objectClass) ?? 'object'} ${objectId}`;
}
