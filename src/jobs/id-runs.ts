import type {SqlValue} from '../mysql/database.ts';

/** A shorter run is looked up as quickly id by id. */
const SHORTEST_RUN = 10;

/**
 * The condition that a column is one of these ids, for a list of thousands: where they follow each other without a gap
 * it says from where to where, which MySQL reads in one go. It holds for exactly these ids.
 * @param column as SQL has it
 */
export function amongIds(column: string, ids: readonly number[]): {sql: string; values: SqlValue[]} {
  const [long, short] = [[] as number[][], [] as number[]];
  for (const run of runsOf(ids.toSorted((one, other) => one - other))) {
    if (run.length < SHORTEST_RUN) short.push(...run);
    else long.push([run[0]!, run.at(-1)!]);
  }
  const parts = long.map(() => `${column} BETWEEN ? AND ?`);
  if (short.length > 0) parts.push(`${column} IN (?)`);
  return {
    sql: parts.length === 0 ? 'FALSE' : `(${parts.join(' OR ')})`,
    values: short.length > 0 ? [...long.flat(), short] : long.flat(),
  };
}

/** @param sorted ascending; an id that stands there twice begins a run of its own */
function runsOf(sorted: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const id of sorted) {
    const run = runs.at(-1);
    if (run?.at(-1) === id - 1) run.push(id);
    else runs.push([id]);
  }
  return runs;
}
