import type {Queryable} from './database.ts';
import type {Explanation} from './explained-failure.ts';

/** The tables and columns of AtoM that atomctl reads. */
const SCHEMA = {
  object: ['id', 'class_name', 'created_at', 'updated_at'],
  job: ['id', 'name', 'download_path', 'completed_at', 'user_id', 'object_id', 'status_id', 'output'],
  note: ['id', 'object_id', 'type_id', 'user_id', 'source_culture'],
  note_i18n: ['id', 'culture', 'content'],
  property: ['id', 'object_id', 'name', 'source_culture'],
  property_i18n: ['id', 'culture', 'value'],
  slug: ['object_id', 'slug'],
  user: ['id', 'username'],
} as const;

/** The columns that AtoM's `job` table got in 2.3 and 2.4; an AtoM database without them is too old. */
const LATE_COLUMNS = ['download_path', 'output'];

/**
 * Checks whether the connected database is AtoM's, 2.4 or later, and readable, without reading a row. No command
 * needs to check first: a statement that finds a table, column or privilege missing fails with the same errors.
 * @throws AtomctlError DATABASE_NOT_ATOM, DATABASE_TOO_OLD, or DATABASE_PRIVILEGE with the GRANT to run
 */
export async function checkSchema(database: Queryable): Promise<void> {
  for (const [table, columns] of Object.entries(SCHEMA)) {
    const list = columns.map((column) => `\`${column}\``).join(', ');
    await database.query(`SELECT ${list} FROM \`${table}\` LIMIT 0`);
  }
}

/** `detail` is the server's "Table 'db.name' doesn't exist". */
export function missingTable(detail: string, database: string): Explanation {
  const table = /'(?:[^']*\.)?([^'.]+)'/.exec(detail)?.[1];
  return notAtom(`it has no table "${table}"`, database);
}

/** `detail` is the server's "Unknown column 'job.output' in 'field list'". */
export function missingColumn(detail: string, database: string): Explanation {
  const column = /'(?:[^']*\.)?([^'.]+)'/.exec(detail)?.[1] ?? '';
  if (!LATE_COLUMNS.includes(column)) return notAtom(`it has no column "${column}"`, database);
  return [
    'DATABASE_TOO_OLD',
    `Database "${database}" belongs to an AtoM older than 2.4: its jobs have no "${column}".`,
    'Upgrade AtoM; atomctl works with 2.4 and later.',
  ];
}

function notAtom(reason: string, database: string): Explanation {
  return [
    'DATABASE_NOT_ATOM',
    `Database "${database}" is not AtoM's: ${reason}.`,
    'Give the database of the AtoM site. To see which one is used and why: atomctl config',
  ];
}
