import {setTimeout as sleep} from 'node:timers/promises';
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {ownerOf, serverOfQueue, takeSnapshot} from '../../queue/snapshot.ts';
import {type EndedRow, endedRows, newestEndedRows} from '../model/running-jobs.ts';
import type {LiveAccess} from './collect-evidence.ts';
import type {KnownJob} from './evidence.ts';
import {ignoredEntries} from './ignored-entries.ts';
import {askForKeys, type FoundJobs} from './unique-keys.ts';

/** A worker saves the row before it tells Gearman that the job has ended. */
const BETWEEN_MS = 1000;

/**
 * Where Gearman executes jobs whose rows do not say Running: a worker went on after the row was changed by hand, or the job
 * was submitted again. What executes is asked for twice. Only a key that the log shows and the site's own functions are
 * asked for: nothing is claimed of an ended row by counts. What waits elsewhere of a job that executes is among its places.
 * @param ids of rows that do not say Running
 * @throws AtomctlError for the database; a server that does not answer has none
 */
export async function executingEndedJobs(
  ids: readonly number[],
  access: Pick<LiveAccess, 'database' | 'servers' | 'prefixes'>,
): Promise<FoundJobs> {
  return executingTwice(ids.length === 0 ? [] : await endedRows(access.database, ids), access);
}

/** Of the rows that have ended, the newest: all would be a whole history. */
const NEWEST_ROWS = 200;

/**
 * The same of the newest rows of the site: what else is interrupted if workers are stopped.
 * @throws AtomctlError for the database
 */
export async function newestExecutingEnded(
  access: Pick<LiveAccess, 'database' | 'servers' | 'prefixes'>,
): Promise<{id: number; name: string}[]> {
  const rows = await newestEndedRows(access.database, NEWEST_ROWS);
  const found = await executingTwice(rows, access);
  return rows.filter(({id}) => found.has(id)).map(({id, name}) => ({id, name}));
}

async function executingTwice(
  rows: readonly EndedRow[],
  access: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<FoundJobs> {
  const first = await executingOf(rows, access);
  if (first.size === 0) return first;
  await sleep(BETWEEN_MS);
  return executingOf(
    rows.filter(({id}) => first.has(id)),
    access,
  );
}

/**
 * Where Gearman has jobs as waiting whose rows do not say Running: a worker saved the row and ended before it told Gearman, or the row
 * was ended by hand. The next worker runs such a job. Servers with cancelled entries, which look the same, are left out.
 * @param ids of rows that do not say Running
 * @throws AtomctlError for the database; a server that does not answer has none
 */
export async function waitingEndedJobs(
  ids: readonly number[],
  access: Pick<LiveAccess, 'database' | 'servers' | 'prefixes'>,
): Promise<FoundJobs> {
  if (ids.length === 0) return new Map();
  const {found, probing} = await askOwn(await endedRows(access.database, ids), access);
  if (found.size === 0) return found;
  const ignored = await ignoredEntries(access.servers);
  const waits = ({running, queue}: KnownJob) => {
    const address = serverOfQueue(queue);
    return !running && !probing.has(address) && ignored.get(address) === 0;
  };
  return new Map([...found].filter(([, places]) => places.every(waits)));
}

async function executingOf(
  rows: readonly EndedRow[],
  access: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<FoundJobs> {
  if (rows.length === 0) return new Map();
  const {found, probing} = await askOwn(rows, access);
  // What another atomctl holds shows as executing.
  const executes = ({running, queue}: KnownJob) => running && !probing.has(serverOfQueue(queue));
  return new Map([...found].filter(([, places]) => places.some(executes)));
}

/** By the keys that their logs show, under the site's own functions. */
async function askOwn(
  rows: readonly EndedRow[],
  {servers, prefixes}: Pick<LiveAccess, 'servers' | 'prefixes'>,
) {
  const {functions} = await takeSnapshot(servers);
  const own = functions.filter(
    (seen) => seen.total > 0 && ownerOf(seen, prefixes, new Set<string>()) === 'site',
  );
  return askForKeys(rows, ({name}) => own.filter(({jobClass}) => mayBeFunctionOf(name, jobClass)));
}
