import {setTimeout as sleep} from 'node:timers/promises';
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import {splitFunctionName} from '../../queue/function-name.ts';
import {
  functionOfQueue,
  ownerOf,
  type SitePrefixes,
  serverOfQueue,
  takeSnapshot,
} from '../../queue/snapshot.ts';
import {type EndedRow, endedRows, newestEndedRows} from '../model/running-jobs.ts';
import type {LiveAccess} from './collect-evidence.ts';
import {contradicts} from './counts.ts';
import type {KnownJob, SeenPayload} from './evidence.ts';
import {ignoredEntries} from './ignored-entries.ts';
import {askForKeys, type FoundJobs, type KeyAnswers} from './unique-keys.ts';

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
  return ids.length === 0
    ? new Map()
    : executingOf(await askTwice(await endedRows(access.database, ids), access));
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
  const found = rows.length === 0 ? new Map() : executingOf(await askTwice(rows, access));
  return rows.filter(({id}) => found.has(id)).map(({id, name}) => ({id, name}));
}

/** Jobs whose rows do not say Running, by what Gearman does with them. */
export interface EndedJobs {
  executing: KnownJobs;
  waiting: KnownJobs;
  /** A server has cancelled entries, which look the same as what waits. */
  unclear: KnownJobs;
}

type KnownJobs = ReadonlyMap<number, readonly KnownJob[]>;

/**
 * Both what executes and what waits, from the same answers.
 * @param ids of rows that do not say Running
 * @throws AtomctlError for the database; a server that does not answer has none
 */
export async function endedJobsInGearman(
  ids: readonly number[],
  access: Pick<LiveAccess, 'database' | 'servers' | 'prefixes'>,
): Promise<EndedJobs> {
  if (ids.length === 0) return {executing: new Map(), waiting: new Map(), unclear: new Map()};
  const answers = await askTwice(await endedRows(access.database, ids), access);
  const mayWait = mayWaitOf(answers);
  const waiting = await provedOf(mayWait, access);
  const unclear = new Map([...mayWait].filter(([id]) => !waiting.has(id)));
  return {executing: executingOf(answers), waiting, unclear};
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
  return provedOf(await mayWaitEndedJobs(ids, access), access);
}

/** The same with the servers that have cancelled entries: what is found may be one. */
export async function mayWaitEndedJobs(
  ids: readonly number[],
  access: Pick<LiveAccess, 'database' | 'servers' | 'prefixes'>,
): Promise<FoundJobs> {
  if (ids.length === 0) return new Map();
  return mayWaitOf(await askOwn(await endedRows(access.database, ids), access));
}

/** Of rows that do not say Running, those of which payloads that were read wait under the site's own functions. */
export function waitingByPayload(
  rows: readonly {id: number; name: string; objectId: number | null}[],
  payloads: readonly SeenPayload[],
  prefixes: SitePrefixes,
): Map<number, KnownJob[]> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const waiting = new Map<number, KnownJob[]>();
  for (const payload of payloads) {
    const row = byId.get(payload.jobId ?? 0);
    const named = splitFunctionName(functionOfQueue(payload.queue));
    if (row === undefined || ownerOf(named, prefixes, new Set<string>()) !== 'site') continue;
    if (!mayBeFunctionOf(row.name, named.jobClass) || contradicts(payload, row)) continue;
    waiting.set(row.id, [...(waiting.get(row.id) ?? []), {queue: payload.queue, running: false}]);
  }
  return waiting;
}

type Answers = Pick<KeyAnswers, 'found' | 'probing'>;

function executingOf({found, probing}: Answers): FoundJobs {
  // What another atomctl holds shows as executing.
  const executes = ({running, queue}: KnownJob) => running && !probing.has(serverOfQueue(queue));
  return new Map([...found].filter(([, places]) => places.some(executes)));
}

function mayWaitOf({found, probing}: Answers): FoundJobs {
  const mayWait = ({running, queue}: KnownJob) => !running && !probing.has(serverOfQueue(queue));
  return new Map([...found].filter(([, places]) => places.every(mayWait)));
}

async function provedOf(found: FoundJobs, {servers}: Pick<LiveAccess, 'servers'>): Promise<FoundJobs> {
  if (found.size === 0) return found;
  const ignored = await ignoredEntries(servers);
  const waits = ({queue}: KnownJob) => ignored.get(serverOfQueue(queue)) === 0;
  return new Map([...found].filter(([, places]) => places.every(waits)));
}

/** If any executes, what Gearman has a second later of those that it had before. */
async function askTwice(
  rows: readonly EndedRow[],
  access: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<Answers> {
  const first = await askOwn(rows, access);
  if (executingOf(first).size === 0) return first;
  await sleep(BETWEEN_MS);
  return askOwn(
    rows.filter(({id}) => first.found.has(id)),
    access,
  );
}

/** By the keys that their logs show, under the site's own functions. */
async function askOwn(
  rows: readonly EndedRow[],
  {servers, prefixes}: Pick<LiveAccess, 'servers' | 'prefixes'>,
): Promise<Answers> {
  const {functions} = await takeSnapshot(servers);
  const own = functions.filter(
    (seen) => seen.total > 0 && ownerOf(seen, prefixes, new Set<string>()) === 'site',
  );
  return askForKeys(rows, ({name}) => own.filter(({jobClass}) => mayBeFunctionOf(name, jobClass)));
}
