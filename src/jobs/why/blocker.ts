import {isSerial} from '../../atom/job-classes.ts';
import type {Queryable} from '../../mysql/database.ts';
import {STATUSES} from '../model/job.ts';
import {parseLogLines} from '../model/log.ts';

/** How AtoM lets a move or import wait for an older one, with the worker that has it: arBaseJob, 2.4 to 2.8. */
export const SERIAL_TRIES = 10;
export const SERIAL_SECONDS = 10;

/** The seconds as a number of their own: they are the same in every language. */
const WAITS = new RegExp(`\\b${SERIAL_SECONDS}\\b`);

/** AtoM compares these names with `job.name` in the query that decides which of them goes on. */
const SERIAL_NAMES = ['arObjectMoveJob', 'arFileImportJob'];

/** Whether AtoM runs only the oldest running job of this name and its like. */
export function waitsInTurn(name: string): boolean {
  return isSerial(name);
}

/**
 * The running row that goes before this move or import: AtoM takes the oldest by its creation. null if it is this row's own
 * turn. Of two that were created in one second AtoM may take either; here the smaller id counts as older.
 */
export async function olderRow(database: Queryable, id: number): Promise<{id: number; name: string} | null> {
  const [oldest] = await database.query<{id: number; name: string}>(
    `SELECT job.id, job.name FROM job LEFT JOIN object ON object.id = job.id
     WHERE job.status_id = ? AND job.name IN (?)
     ORDER BY object.created_at, job.id LIMIT 1`,
    [STATUSES.running.termId, SERIAL_NAMES],
  );
  return oldest === undefined || oldest.id === id ? null : oldest;
}

/**
 * How often a job has waited for its turn since it last began: before each wait AtoM logs one line, always the same but for
 * the language, and after the last wait the parameters or what the job does. 0 if it has not begun.
 */
export function triesUsed(log: string): number {
  const lines = parseLogLines(log).filter(({time}) => time !== null);
  const start = lines.findLastIndex(({message}) => message === 'Job started.');
  const [first, ...others] = lines.slice(start + 1).map(({message}) => message);
  if (start === -1 || first === undefined || !WAITS.test(first)) return 0;
  const end = others.findIndex((message) => message !== first);
  return end === -1 ? 1 + others.length : 0;
}
