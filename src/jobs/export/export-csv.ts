import {inSourceCulture} from '../../mysql/collation.ts';
import type {Database, SqlValue} from '../../mysql/database.ts';
import {type JobFilter, jobCondition, objectJoin} from '../model/filter.ts';
import type {JobClock} from '../model/load-jobs.ts';
import {HISTORY_COLUMNS, type HistoryColumn, type HistoryRecord, type Needs} from './columns.ts';

export interface ExportOptions extends JobClock {
  database: Database;
  filter: JobFilter;
  columns: readonly HistoryColumn[];
  /** Asked once for each job, in the order of the ids; absent: all are exported. */
  includes?: (job: {id: number; statusId: number | null}) => boolean;
}

/**
 * The cells of all matching jobs, oldest first, as many rows at a time as the database has sent. One streaming query
 * whatever their number, and no more than a batch in memory; leaving the loop early ends the query. It reads one
 * snapshot, so that jobs which start, end or are cleared during the export do not change it.
 */
export async function* exportRows(options: ExportOptions): AsyncIterable<string[][]> {
  const columns = options.columns.map((name) => HISTORY_COLUMNS[name]);
  const {includes = () => true} = options;
  const toCells = (records: HistoryRecord[]) =>
    records.filter(includes).map((record) => columns.map(({cell}) => cell(record, options)));
  const {sql, values} = exportStatement(options.filter, options.columns);
  // The next rows may have more notes of the last job.
  let last: HistoryRecord | undefined;
  for await (const rows of options.database.batches(sql, values)) {
    const records = last === undefined ? [] : [last];
    for (const row of rows) {
      const record = readRow(row as StreamedRow, records.at(-1));
      if (record !== null) records.push(record);
    }
    last = records.pop();
    if (records.length > 0) yield toCells(records);
  }
  if (last !== undefined) yield toCells([last]);
}

type StreamedRow = readonly [
  id: number,
  name: string | null,
  statusId: number | null,
  createdAt: string | null,
  completedAt: string | null,
  user: string | null,
  objectId: number | null,
  objectClass: string | null,
  slug: string | null,
  noteId: number | null,
  note: string | null,
];

/**
 * The job that a row begins, or null if the row only adds a note to the job before it: the join repeats a job
 * for each of its notes, one after the other.
 */
function readRow(row: StreamedRow, last: HistoryRecord | undefined): HistoryRecord | null {
  const [id, name, statusId, createdAt, completedAt, user, objectId, objectClass, slug, noteId, text] = row;
  const notes = noteId === null ? [] : [{id: noteId, text: text ?? ''}];
  if (last?.id === id) {
    last.notes.push(...notes);
    return null;
  }
  return {id, name, statusId, createdAt, completedAt, user, objectId, objectClass, slug, notes};
}

/** What each need joins, and what it selects; NULLs stand in if no column needs it. */
const JOINS: Record<Needs, {join: string; select: string}> = {
  user: {join: 'LEFT JOIN user ON user.id = job.user_id', select: 'user.username'},
  target: {
    join: `LEFT JOIN object target ON target.id = job.object_id
           LEFT JOIN slug ON slug.object_id = job.object_id`,
    select: 'job.object_id, target.class_name, slug.slug',
  },
  notes: {
    join: `LEFT JOIN note ON note.object_id = job.id
           LEFT JOIN note_i18n ON ${inSourceCulture('note')}`,
    select: 'note.id, note_i18n.content',
  },
};

/** The export's one statement: only the tables that the columns need, in the order of job's primary key. */
export function exportStatement(
  filter: JobFilter,
  columns: readonly HistoryColumn[],
): {sql: string; values: SqlValue[]} {
  const condition = jobCondition(filter);
  const needed = new Set(columns.map((name) => (HISTORY_COLUMNS[name] as {needs?: Needs}).needs));
  const parts = (['user', 'target', 'notes'] as const).map((need) => {
    const {join, select} = JOINS[need];
    return needed.has(need) ? {join, select} : {join: '', select: select.replace(/[\w.]+/g, 'NULL')};
  });
  return {
    sql: `SELECT job.id, job.name, job.status_id, object.created_at, job.completed_at,
                 ${parts.map(({select}) => select).join(', ')}
          FROM job ${objectJoin(condition)} ${parts.map(({join}) => join).join(' ')}
          WHERE ${condition.sql} ORDER BY job.id`,
    values: condition.values,
  };
}
