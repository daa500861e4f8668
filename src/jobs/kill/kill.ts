/**
 * Ends jobs so that they stay ended. Marking the row is not enough: Gearman would hand a queued job to the next
 * worker, and an executing one to the next after its worker dies. Three phases with one map by id: plan (nothing is
 * touched), dequeue (out of Gearman, with the row's change), complete.
 */
import {type AtomctlError, EXIT} from '../../errors.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import {whileStopped} from '../model/worker-control.ts';
import {complete, type Killed} from './complete.ts';
import {dequeueStopped, dequeueWaiting, reasonAgainstRestart} from './dequeue.ts';
import {type KillOptions, type KillPlan, planKill} from './plan.ts';

export type {GearmanOutcome, Killed} from './complete.ts';
export type {KillOptions, KillState} from './plan.ts';

export interface KillResult {
  killed: Killed[];
  workerRestarted: boolean;
  /** Why the worker was not stopped, or could not be stopped or started; null if nothing went wrong. */
  workerProblem: AtomctlError | null;
  /** Jobs were left alone because of an interruption. */
  interrupted: boolean;
}

/**
 * Kills each job on its own; one that is refused does not stop the rest. If one is executing and the workers may be
 * restarted, they are stopped first, which puts it back into the queue, and started again whatever happens.
 * @throws AtomctlError for the database, or INTERRUPTED, before anything was done
 */
export async function killJobs(options: KillOptions): Promise<KillResult> {
  const plan = await planKill(options);
  await dequeueWaiting(options, plan);
  const executing = executingIds(plan);
  if (options.worker === null || executing.size === 0 || options.signal.aborted) {
    return {...(await complete(options, plan)), workerRestarted: false, workerProblem: null};
  }
  const against = await reasonAgainstRestart(serversOf(plan, executing, options), options);
  if (against !== null) {
    plan.problems.push(against);
    return {...(await complete(options, plan)), workerRestarted: false, workerProblem: against};
  }
  const {result, problems} = await whileStopped(options.worker, async () => {
    await dequeueStopped(options, plan, executing);
    return complete(options, plan);
  });
  return {...result, workerRestarted: problems.length === 0, workerProblem: problems[0] ?? null};
}

function executingIds({targets}: KillPlan): Set<number> {
  return new Set([...targets].filter(([, {now}]) => now === 'executing').map(([id]) => id));
}

/** The servers that hold these jobs; all of them for a job that no key has placed. */
function serversOf({report}: KillPlan, ids: ReadonlySet<number>, {servers}: KillOptions): GearmanServer[] {
  const all = servers.flatMap((connection) => ('server' in connection ? [connection.server] : []));
  return [...new Set([...ids].flatMap((id) => report.found.get(id)?.server ?? all))];
}

/** How a kill of several jobs ends: interrupted, all done, some, none because no such job exists, or none because all were refused. */
export function killExitStatus({killed, workerProblem, interrupted}: KillResult): number {
  if (interrupted) return EXIT.interrupted;
  const refused = killed.filter(({action}) => action === 'refused');
  if (refused.length === 0) return workerProblem === null ? EXIT.ok : EXIT.failed;
  if (refused.length < killed.length) return EXIT.failed;
  return refused.every(({was}) => was === null) ? EXIT.noSuchJob : EXIT.refused;
}
