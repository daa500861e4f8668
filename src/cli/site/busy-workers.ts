import {AtomctlError} from '../../errors.ts';
import type {BusyWorker, ShownWorker} from '../../jobs/live/busy-workers.ts';
import type {QueueWorker} from '../../queue/workers.ts';
import type {Context} from '../context.ts';
import {liveReport} from './live.ts';

/** The workers with the jobs that they execute; without these, and a notice, if the database cannot be read. */
export async function withJobs(
  context: Context,
  workers: readonly QueueWorker[],
  notice: (text: string) => void,
): Promise<ShownWorker[]> {
  const busy = await busyWorkersOf(context, notice);
  const time = busy.size === 0 ? null : await context.time();
  return workers.map((worker) => {
    const {executes = null, mayExecute = []} = busy.get(worker.id) ?? {};
    const begunAt = executes?.begunMs == null ? null : time!.toIso(time!.toWall(new Date(executes.begunMs)));
    return {
      ...worker,
      executes: executes === null ? null : {id: executes.id, name: executes.name, begunAt},
      mayExecute: mayExecute.map(({id}) => id),
    };
  });
}

async function busyWorkersOf(
  context: Context,
  notice: (text: string) => void,
): Promise<ReadonlyMap<string, BusyWorker>> {
  try {
    const {busyWorkers} = await import('../../jobs/live/busy-workers.ts');
    // Which servers did not answer is said already.
    const report = await liveReport(context, () => {});
    return new Map(busyWorkers(report).map((worker) => [worker.id, worker]));
  } catch (error) {
    if (!(error instanceof AtomctlError) || error.code === 'USAGE') throw error;
    if (error.code !== 'NO_SITE')
      notice(`atomctl cannot find out which jobs are executing: ${error.message}`);
    return new Map();
  }
}
