/** The rows to clear that have ended, and whose jobs Gearman has all the same. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {Queryable} from '../../mysql/database.ts';
import {executingEndedJobs, mayWaitEndedJobs} from '../live/ended-jobs.ts';
import type {QueueOptions} from '../live/queue-payloads.ts';
import {HAS_ENDED, STATUSES} from '../model/job.ts';
import {MOST_IDS, stillMatching} from './job-ids.ts';
import type {ClearPlan} from './plan.ts';
import {unexplainedClasses} from './queue-count.ts';

/** Only so many are looked for in Gearman, from the newest: all would be a whole history. */
const ENDED_ROWS = 200;

interface EndedOptions {
  database: Queryable;
  queue: Pick<QueueOptions, 'servers' | 'prefixes'>;
  plan: Pick<ClearPlan, 'filter' | 'ids'>;
}

/** @throws AtomctlError for the database */
export async function executingEnded({database, queue, plan}: EndedOptions): Promise<Set<number>> {
  const ids = (await newestEnded(database, plan)).map(({id}) => id);
  return new Set((await executingEndedJobs(ids, {...queue, database})).keys());
}

/**
 * Those whose jobs may wait: a server has their key, or has more jobs of their class than running rows explain. Only the payloads tell.
 * @throws AtomctlError for the database
 */
export async function mayWaitEnded({database, queue, plan}: EndedOptions): Promise<Set<number>> {
  const rows = await newestEnded(database, plan);
  if (rows.length === 0) return new Set();
  const ids = rows.map(({id}) => id);
  const known = await mayWaitEndedJobs(ids, {...queue, database});
  const unexplained = [...(await unexplainedClasses({...queue, database}))];
  const others = rows.filter(({name}) => unexplained.some((jobClass) => mayBeFunctionOf(name, jobClass)));
  return new Set([...known.keys(), ...others.map(({id}) => id)]);
}

async function newestEnded(
  database: Queryable,
  {filter, ids}: EndedOptions['plan'],
): Promise<{id: number; name: string}[]> {
  const ended: {id: number; name: string}[] = [];
  for (let end = ids.length; end > 0 && ended.length < ENDED_ROWS; end -= MOST_IDS) {
    const {join, sql, values} = stillMatching(filter, ids.subarray(Math.max(0, end - MOST_IDS), end));
    const rows = await database.query<{id: number; name: string}>(
      `SELECT job.id, COALESCE(job.name, '') AS name FROM job ${join}
       WHERE ${sql} AND ${HAS_ENDED} ORDER BY job.id DESC LIMIT ${ENDED_ROWS}`,
      [...values, STATUSES.running.termId],
    );
    ended.push(...rows);
  }
  return ended.slice(0, ENDED_ROWS);
}
