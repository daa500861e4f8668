import type {Queryable, SqlValue} from '../../mysql/database.ts';

/**
 * Deletes these jobs with all that belongs to them, inside the caller's transaction. AtoM's foreign keys let the
 * row of `object` take job, notes, properties and slug with it; the guard on its class makes sure that no other
 * object can go this way, whatever the ids. If an old restore or a hand-made change left a job row without an
 * object row of its class, the job row alone is deleted.
 * @returns how many jobs are gone
 */
export async function deleteJobRows(tx: Queryable, ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0;
  const {sql, values} = idRanges('id', ids);
  const whole = await tx.execute(`DELETE FROM object WHERE ${sql} AND class_name = 'QubitJob'`, values);
  if (whole >= ids.length) return whole;
  return whole + (await tx.execute(`DELETE FROM job WHERE ${sql}`, values));
}

/**
 * Deletes one job, and also what `DELETE FROM job` (the manual's recipe) has left of it.
 * @returns false if there was nothing of it
 */
export function deleteJob(options: {database: Transactional; id: number}): Promise<boolean> {
  return options.database.transaction(async (tx) => (await deleteJobRows(tx, [options.id])) > 0);
}

/** The part of a database that a change in one transaction needs. */
export interface Transactional {
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
}

/** For a shorter run, single ids are as fast. */
const SHORTEST_RUN = 10;

/**
 * The condition that a column is one of these ids, for a list of thousands: if they follow each other without a gap
 * it is a range, which MySQL reads at once. It holds for exactly these ids.
 * @param column as SQL has it
 */
export function idRanges(column: string, ids: readonly number[]): {sql: string; values: SqlValue[]} {
  const sorted = ids.toSorted((one, other) => one - other);
  const [bounds, single]: [number[], number[]] = [[], []];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    do end += 1;
    while (sorted[end] === sorted[end - 1]! + 1);
    if (end - start < SHORTEST_RUN) single.push(...sorted.slice(start, end));
    else bounds.push(sorted[start]!, sorted[end - 1]!);
  }
  const parts = Array.from({length: bounds.length / 2}, () => `${column} BETWEEN ? AND ?`);
  if (single.length > 0) parts.push(`${column} IN (?)`);
  return {
    sql: parts.length === 0 ? 'FALSE' : `(${parts.join(' OR ')})`,
    values: single.length > 0 ? [...bounds, single] : bounds,
  };
}
