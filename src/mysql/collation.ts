/**
 * SQL that compares columns of two tables. After an upgrade of MySQL, tables may have different collations, and a server refuses to
 * compare their columns as they are (error 1267).
 */

/** A text column as it can be compared with that of any other table. */
export function comparable(column: string): string {
  return `CONVERT(${column} USING utf8mb4) COLLATE utf8mb4_bin`;
}

/** Joins a table's translations in the culture in which each row was written. */
export function inSourceCulture(table: 'note' | 'setting'): string {
  return `${table}_i18n.id = ${table}.id AND ${table}_i18n.culture = ${comparable(`${table}.source_culture`)}`;
}
