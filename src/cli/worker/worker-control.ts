import {AtomctlError} from '../../errors.ts';
import type {WorkerControl} from '../../jobs/model/worker-control.ts';
import type {UnitChange} from '../../worker/service.ts';
import type {Context} from '../context.ts';
import {findWorker, type UnitFlags, workerService} from './unit-flags.ts';

/** How long Gearman may take to show that a worker is gone, or is back. */
const WAIT_SECONDS = 30;

/**
 * The site's active worker units as kill and clear want them: stopped and started as a whole, each verified by Gearman.
 * @throws AtomctlError SYSTEMD_UNAVAILABLE or NO_SUCH_UNIT, before anything was touched
 */
export async function workerControl(context: Context, flags: UnitFlags): Promise<WorkerControl> {
  const [{startWorker, stopWorker}, found] = await Promise.all([
    import('../../worker/service.ts'),
    findWorker(context, flags),
  ]);
  // A unit that somebody stopped on purpose stays stopped.
  const units = found.units.filter(({active}) => active === 'active');
  const service = await workerService(context, {...found, units}, WAIT_SECONDS);
  return {
    stop: async () => requireDone(await stopWorker(service)),
    // Stopping counts towards no limit, but the starts before it did: cleared, so that this one is not refused.
    start: async () => requireDone(await startWorker({...service, reset: true})),
  };
}

function requireDone(changes: readonly UnitChange[]): void {
  const undone = changes.filter(({done}) => !done);
  if (undone.length > 0) throw new AtomctlError('FAILED', undone.map(({message}) => message).join(' '));
}
