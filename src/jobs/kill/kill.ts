/**
 * Ends jobs so that they stay ended. Marking the row is not enough: Gearman would hand a queued job to the next
 * worker, and an executing one to the next after its worker dies. The phases, with one map by id: plan and rehearse
 * (nothing is touched), dequeue (out of Gearman, with the row's change), complete.
 */
import {AtomctlError, EXIT} from '../../errors.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import {placesOf} from '../live/live-state.ts';
import {putFirst} from '../live/queue-payloads.ts';
import {
  goOnAllTheTime,
  MOST_PLANS,
  reasonAgainstInterruption,
  type WorkerStop,
  whileStopped,
} from '../model/worker-control.ts';
import {complete, type Killed} from './complete.ts';
import {
  cancelExecuting,
  dequeueStopped,
  dequeueWaiting,
  isAsPlanned,
  reasonAgainstRestart,
} from './dequeue.ts';
import {planKill, workersToStop} from './plan.ts';
import {previewKill} from './preview.ts';
import {rehearseRows} from './rows.ts';
import type {Asked, KillOptions, KillPlan} from './target.ts';

export type {GearmanOutcome, Killed} from './complete.ts';
export type {KillOptions, KillPlan, KillState, Target} from './target.ts';

export interface KillResult {
  killed: Killed[];
  /** Workers were asked to stop, whatever came of it. */
  workersAsked: boolean;
  workerRestarted: boolean;
  /** Other jobs whose workers were stopped: they start again from the beginning. */
  interrupted: number[];
  /** Why the worker was not stopped, or could not be stopped or started; null if nothing went wrong. */
  workerProblem: AtomctlError | null;
  /** Jobs were left alone because of a signal. */
  stoppedEarly: boolean;
}

/**
 * Kills each job on its own; one that is refused does not stop the rest. If one is executing and the workers may be
 * restarted, they are stopped first, which puts it back into the queue, and started again whatever happens.
 * @param shown the plan before the question: what was refused there stays refused, and what is no longer as it was shown is refused;
 *   null if nothing was shown
 * @throws AtomctlError for the database, or INTERRUPTED, before anything was done
 */
export async function killJobs(options: KillOptions, shown: KillPlan | null): Promise<KillResult> {
  if (shown === null) return killEach(options);
  const planned = previewKill(options, shown);
  const result = await killEach({
    ...options,
    ids: agreedIds(planned),
    asked: askedOf(shown),
    matched: undefined,
  });
  const killed = new Map(result.killed.map((each) => [each.id, each]));
  return {...result, killed: planned.map((each) => killed.get(each.id) ?? each)};
}

/** The jobs that a plan does not refuse. */
export function agreedIds(planned: readonly Killed[]): number[] {
  return planned.filter(({action}) => action !== 'refused').map(({id}) => id);
}

/** What a plan says of each job. */
export function askedOf({targets}: Pick<KillPlan, 'targets'>): Map<number, Asked> {
  return new Map(
    [...targets].map(([id, {job, now}]) => [id, {status: job.status, state: now, name: job.name}]),
  );
}

async function killEach(options: KillOptions): Promise<KillResult> {
  const plan = await planKill(options);
  await rehearseRows(options, plan);
  await dequeueWaiting(options, plan);
  const unchanged = {workersAsked: false, workerRestarted: false, interrupted: [], workerProblem: null};
  const prepared = options.signal.aborted ? null : await prepareStop(options, plan);
  if (prepared === null) return {...unchanged, ...(await complete(options, plan))};
  if (prepared instanceof AtomctlError) {
    plan.problems.push(prepared);
    return {...unchanged, ...(await complete(options, plan)), workerProblem: prepared};
  }
  const {workers, executing} = prepared;
  let order: AtomctlError[] = [];
  const {result, problems} = await whileStopped(workers, async () => {
    await dequeueStopped(options, plan, executing);
    const done = await complete(options, plan);
    order = await putFirst(options, workers.interrupts);
    return done;
  });
  return {
    ...result,
    workersAsked: true,
    workerRestarted: problems.length === 0,
    interrupted: workers.interrupts.map(({id}) => id),
    workerProblem: [...problems, ...order][0] ?? null,
  };
}

/**
 * Cancels what executes, and finds its workers anew as long as one of the jobs ends meanwhile: the worker of one that has ended is
 * not to be stopped.
 * @returns null if no worker has to stop; an error that says why none may
 */
async function prepareStop(
  options: KillOptions,
  plan: KillPlan,
): Promise<{workers: WorkerStop; executing: ReadonlySet<number>} | AtomctlError | null> {
  for (let times = 0; times < MOST_PLANS; times += 1) {
    const workers = await workersToStop(options, plan);
    if (workers === null) return null;
    const executing = executingIds(plan);
    const against =
      reasonAgainstInterruption(workers, options.mayInterrupt) ??
      (await reasonAgainstRestart(serversOf(plan, executing, options), options)) ??
      (await cancelExecuting(plan, executing));
    if (against !== null) return against;
    try {
      if (await isAsPlanned(options, plan, {workers, executing})) return {workers, executing};
    } catch (error) {
      if (error instanceof AtomctlError) return error;
      throw error;
    }
  }
  return goOnAllTheTime();
}

function executingIds({targets}: KillPlan): Set<number> {
  return new Set(
    [...targets].filter(([, {now, refused}]) => now === 'executing' && refused === null).map(([id]) => id),
  );
}

/** The servers that hold these jobs; all of them for a job that no key has placed. */
function serversOf({report}: KillPlan, ids: ReadonlySet<number>, {servers}: KillOptions): GearmanServer[] {
  const all = servers.flatMap((connection) => ('server' in connection ? [connection.server] : []));
  return [
    ...new Set(
      [...ids].flatMap((id) => {
        const places = placesOf(report, id);
        return places.length > 0 ? places.map(({server}) => server) : all;
      }),
    ),
  ];
}

/** How a kill of several jobs ends: interrupted, all done, some, none because no such job exists, or none because all were refused. */
export function killExitStatus({killed, workersAsked, workerProblem, stoppedEarly}: KillResult): number {
  if (stoppedEarly) return EXIT.interrupted;
  const refused = killed.filter(({action}) => action === 'refused');
  // 5 promises that nothing was touched.
  if (refused.length === killed.length && killed.length > 0 && !workersAsked)
    return refused.every(({was}) => was === null) ? EXIT.noSuchJob : EXIT.refused;
  const isWhole = killed.every(({action}) => action === 'marked' || action === 'deleted');
  return isWhole && workerProblem === null ? EXIT.ok : EXIT.failed;
}
