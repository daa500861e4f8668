import type {SqlValue} from '../mysql/database.ts';

/** A shorter run is looked up as quickly id by id. */
const SHORTEST_RUN = 10;

/**
 * The condition that a column is one of these ids, for a list of thousands: where they follow each other without a gap
 * it says from where to where, which MySQL reads in one go. It holds for exactly these ids.
 * @param column as SQL has it
 */
export function amongIds(column: string, ids: readonly number[]): {sql: string; values: SqlValue[]} {
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
