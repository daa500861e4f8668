import type {Queryable, SqlValue} from '../../mysql/database.ts';
import {idRanges} from '../model/delete-jobs.ts';
import {type JobFilter, jobCondition} from '../model/filter.ts';

/** Ids of jobs in ascending order; eight bytes for each, since a history may have millions. */
export type JobIds = Float64Array;

/** In ascending order. */
export function jobIds(ids: readonly number[]): JobIds {
  return Float64Array.from(ids).sort();
}

export function hasId(ids: JobIds, id: number): boolean {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id;
}

/** The condition for those of the jobs for which the filter holds; the ids are chosen already, so that those of the filter are not sent. */
export function stillMatching(
  filter: JobFilter,
  ids: Iterable<number>,
): {join: string; sql: string; values: SqlValue[]} {
  const ranges = idRanges('job.id', [...ids]);
  const {join, sql, values} = jobCondition(withoutIds(filter));
  return {join, sql: `${ranges.sql} AND ${sql}`, values: [...ranges.values, ...values]};
}

export function withoutIds({ids: _, ...filter}: JobFilter): JobFilter {
  return filter;
}

/** In one transaction, as long as nobody knows how long it takes. */
export const FIRST_IDS = 1000;
/** MySQL gives up the index for a list of many more (range_optimizer_max_mem_size). */
export const MOST_IDS = 10_000;

/** Those of the jobs that are there and for which the filter holds now. */
export async function matchingNow(database: Queryable, filter: JobFilter, ids: JobIds): Promise<number[]> {
  const found: number[] = [];
  for (let start = 0; start < ids.length; start += MOST_IDS) {
    const {join, sql, values} = stillMatching(filter, ids.subarray(start, start + MOST_IDS));
    const rows = await database.query<{id: number}>(
      `SELECT job.id FROM job ${join} WHERE ${sql} ORDER BY job.id`,
      values,
    );
    for (const {id} of rows) found.push(id);
  }
  return found;
}
