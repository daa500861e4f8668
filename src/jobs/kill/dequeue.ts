import {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, GearmanTimeouts, ServerConnection} from '../../gearman/server.ts';
import {survivesReturns} from '../../gearman/test-job.ts';
import {liveStates} from '../live/live-state.ts';
import {probeSite} from '../live/queue-payloads.ts';
import type {FoundJob} from '../live/unique-keys.ts';
import {changeRow} from './mark-or-delete.ts';
import {type KillOptions, type KillPlan, mayChange, stateNow, type Target} from './plan.ts';

/** Rows that change slowly hold a server no longer than this, except for the row in hand: others wait to read. */
const LONGEST_HOLD_MS = 2000;

const NEEDS_NO_PROBE = new Set<unknown>(['executing', 'finished', 'lost']);

/** Takes the jobs that wait out of Gearman. The queue is touched only if one of them may wait. */
export async function dequeueWaiting(options: KillOptions, plan: KillPlan): Promise<void> {
  const ids = changeableIds(options, plan);
  const mayWait = [...ids].some((id) => !NEEDS_NO_PROBE.has(plan.targets.get(id)!.now));
  if (mayWait) await dequeue(options, plan, ids);
}

/** Takes out the jobs that stopped workers gave back. If interrupted, only those: they would run again from the start. */
export async function dequeueStopped(
  options: KillOptions,
  plan: KillPlan,
  executing: ReadonlySet<number>,
): Promise<void> {
  const ids = options.signal.aborted ? executing : changeableIds(options, plan);
  await dequeue({...options, signal: undefined}, plan, ids);
}

function changeableIds(options: KillOptions, {targets}: KillPlan): Set<number> {
  return new Set([...targets].filter(([, target]) => mayChange(target, options)).map(([id]) => id));
}

/**
 * Ends those of the jobs that wait, and changes their rows before any atomctl may call them lost. The states are read
 * again afterwards. Failures are added to the plan, not thrown: by now jobs may be gone from the queue.
 */
async function dequeue(
  options: Omit<KillOptions, 'signal'> & {signal?: AbortSignal},
  plan: KillPlan,
  ids: ReadonlySet<number>,
): Promise<void> {
  const {waiting, problems} = await probeSite({
    ...options,
    take: ({jobId}) => jobId !== null && ids.has(jobId),
    settle: async (jobs) => {
      const end = performance.now() + LONGEST_HOLD_MS;
      for (const {jobId, unique} of jobs) {
        const target = plan.targets.get(jobId!)!;
        if (target.dequeued !== null) continue;
        target.dequeued = unique;
        target.was = stateBefore(target);
        if (performance.now() < end) target.row = await changeRow(options, target.job, target.was);
      }
    },
  });
  plan.problems.push(...problems);
  try {
    plan.report = await liveStates({...options, probe: async () => waiting});
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    plan.problems.push(error);
    return;
  }
  for (const target of plan.targets.values()) update(target, plan);
}

/** What a job was that is out of Gearman now: executing if its worker was stopped for it, otherwise queued. */
function stateBefore({job, was}: Target): Target['was'] {
  if (job.status !== 'running') return 'ended';
  return was === 'executing' ? was : 'queued';
}

function update(target: Target, {report}: KillPlan): void {
  if (target.dequeued !== null) return;
  target.now = stateNow(target.job, report);
  target.verdict = report.verdicts.get(target.job.id) ?? null;
  if (target.was !== 'executing') target.was = target.now;
}

/**
 * Cancels a job that was found by its key. Gearman cancels by handle and does not say which handle has which key, so
 * only if exactly one job of the server is in the same state (executing or not) is it certain to be that one. The
 * key is asked for again afterwards: if the job is not in that state any more, the handle could be the next job's.
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

/** A job goes back to the queue once as its worker stops, and must survive one more return as it is probed. */
const RETURNS = 2;

/**
 * Why the workers may not be stopped to end a job; null if they may. Stopping them returns every job that they
 * execute to the queue: if a server limits retries, one could be dropped, or start again because the queue can no
 * longer be probed.
 */
export async function reasonAgainstRestart(
  servers: readonly GearmanServer[],
  options: GearmanTimeouts,
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
    `Gearman server ${formatAddress(address)} limits retries: with a restart of its worker a job could be dropped or start again, so the worker was not stopped.`,
    {hint: 'Raise --job-retries of gearmand, or cancel the job and change its row with --force.'},
  );
}
