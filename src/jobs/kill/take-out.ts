import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {ConnectOptions, GearmanServer, ServerConnection} from '../../gearman/server.ts';
import {survivesReturns} from '../../gearman/test-job.ts';
import {type LiveOptions, type LiveReport, liveStates} from '../live/live-state.ts';
import {probeSite, type QueueOptions} from '../live/queue-payloads.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import type {RowChanged} from './mark-or-delete.ts';

/** A job that was taken out of Gearman. */
export interface TakenOut {
  /** The key that it had there. */
  unique: string;
  /** What became of its row; null where this is still to be changed. */
  change: RowChanged | null;
}

/** A server is held no longer than this for rows that change slowly, but for the one in hand: others want to look. */
const LONGEST_HOLD_MS = 2000;

/** What is known of the jobs to kill, and which of them were taken out of Gearman. */
export interface Findings {
  report: LiveReport;
  removed: ReadonlyMap<number, TakenOut>;
  /** Why the queue or the rows could not be looked at; empty where they were, or did not have to be. */
  problems: readonly AtomctlError[];
}

type TakeOutOptions = QueueOptions & Omit<LiveOptions, 'probe'>;
type ChangeRow = (id: number) => Promise<RowChanged>;

/**
 * Tells what the jobs are and takes those that wait out of the queue, which is touched only where one may wait.
 * @throws AtomctlError for the database, before anything was done
 */
export async function findAndTakeOut(
  options: TakeOutOptions,
  ids: ReadonlySet<number>,
  changeRow: ChangeRow,
): Promise<Findings> {
  const found: Findings = {report: await liveStates(options), removed: new Map(), problems: []};
  const mayWait = [...ids].some((id) => !SETTLED.has(found.report.states.get(id)));
  return mayWait ? takeOut(options, ids, found, changeRow) : found;
}

const SETTLED = new Set<unknown>(['executing', 'lost']);

/**
 * Takes those of the jobs that wait out of the queue, and changes their rows before anyone may call them lost. What it
 * did not find waiting is then told anew: it executes, has ended or is lost. What goes wrong is said, not
 * thrown: by now jobs may be gone from the queue.
 */
export async function takeOut(
  options: TakeOutOptions,
  ids: ReadonlySet<number>,
  before: Findings,
  changeRow: ChangeRow,
): Promise<Findings> {
  const removed = new Map(before.removed);
  const look = await probeSite({
    ...options,
    take: ({jobId}) => jobId !== null && ids.has(jobId),
    settle: async (jobs) => {
      const end = performance.now() + LONGEST_HOLD_MS;
      for (const {jobId, unique} of jobs) {
        if (removed.has(jobId!)) continue;
        removed.set(jobId!, {unique, change: performance.now() < end ? await changeRow(jobId!) : null});
      }
    },
  });
  try {
    const report = await liveStates({...options, probe: async () => look.waiting});
    return {report, removed, problems: look.problems};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {report: before.report, removed, problems: [...look.problems, error]};
  }
}

/**
 * Cancels a job that was found by its key. Gearman cancels by handle and does not say which handle has which key, so
 * only where exactly one job of the server is in the same state (executing or not) is it certain to be that one. The
 * key is asked for again afterwards: were it not in that state any more, the handle could be the next job's.
 */
export async function cancelInGearman(found: FoundJob | undefined): Promise<'cancelled' | 'remains'> {
  if (found === undefined) return 'remains';
  try {
    const handles = (await found.server.jobs()).map(({handle}) => handle);
    const presences = await found.server.statusOfHandles(handles);
    const alike = handles.filter((_, index) => {
      const presence = presences[index];
      return presence?.known === true && presence.running === found.running;
    });
    const [still] = await found.server.statusOfUniqueKeys([found.unique]);
    if (alike.length !== 1 || !still!.known || still!.running !== found.running) return 'remains';
    return (await found.server.cancel(alike[0]!)) ? 'cancelled' : 'remains';
  } catch (error) {
    if (error instanceof AtomctlError) return 'remains';
    throw error;
  }
}

/** Whether any server that answers still knows a key: asked after a job was taken out, to be sure. */
export async function stillInGearman(servers: readonly ServerConnection[], unique: string): Promise<boolean> {
  const answers = await Promise.allSettled(
    servers.map(
      async (connection) =>
        'server' in connection && (await connection.server.statusOfUniqueKeys([unique]))[0]?.known,
    ),
  );
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value === true);
}

/** A job goes back to the queue once as its worker stops, and must be able to once more as it is looked at. */
const RETURNS = 2;

/**
 * Why the workers may not be stopped to end a job; null where they may. Stopping them returns every job that they
 * execute to the queue: where a server limits retries, one could be dropped, or begin anew because the queue can no
 * longer be looked at.
 */
export async function reasonAgainstRestart(
  servers: readonly GearmanServer[],
  options: ConnectOptions,
): Promise<AtomctlError | null> {
  try {
    for (const server of servers) {
      const jobs = (await server.jobs()).filter(({ignored}) => !ignored);
      const most = jobs.reduce((highest, {retries}) => Math.max(highest, retries), 0);
      if (!(await survivesReturns(server, most + RETURNS, options))) return limited(server);
    }
    return null;
  } catch (error) {
    if (error instanceof AtomctlError) return error;
    throw error;
  }
}

function limited({address}: GearmanServer): AtomctlError {
  return new AtomctlError(
    'REFUSED',
    `Gearman server ${formatAddress(address)} limits retries: with a restart of its worker a job could be dropped or begin anew, so the worker was not stopped.`,
    {hint: 'Raise --job-retries of gearmand, or cancel the job and change its row with --force.'},
  );
}
