import {AtomctlError} from '../../errors.ts';
import type {WorkerControl} from '../../jobs/model/worker-control.ts';
import type {UnitChange} from '../../worker/service.ts';
import type {Context} from '../context.ts';
import {findWorker, serviceManager, type UnitFlags, workerService} from './unit-flags.ts';

/** How long Gearman may take to show that a worker has gone or has come back. */
const WAIT_SECONDS = 30;

/**
 * Stops and starts the site's active worker units, for kill and clear. Gearman verifies each change. Units that provably
 * execute none of the jobs that are to end keep running.
 * @throws AtomctlError SYSTEMD_UNAVAILABLE or NO_SUCH_UNIT, before anything was touched
 */
export async function workerControl(context: Context, flags: UnitFlags): Promise<WorkerControl> {
  const [{assignToUnits}, {startWorker, stopWorker}, found] = await Promise.all([
    import('../../worker/executing.ts'),
    import('../../worker/service.ts'),
    findWorker(context, flags).catch(withoutSystemd),
  ]);
  const {scope} = found.manager;
  // A unit that was stopped on purpose is not started.
  const active = found.units.filter(({active}) => active === 'active');
  return {
    async workersOf(ids, executing, {goBack}) {
      const assigned = await assignToUnits({jobs: executing, units: active, scope});
      const unitOf = new Map(assigned.map(({id, unit}) => [id, unit]));
      const theirs = new Set([...ids].map((id) => unitOf.get(id) ?? null));
      const units = goBack || theirs.has(null) ? active : active.filter(({name}) => theirs.has(name));
      const sure = new Set(assigned.flatMap(({id, unit, isNamed}) => (isNamed && ids.has(id) ? [unit] : [])));
      const stopping = new Set(units.map(({name}) => name));
      const service = await workerService(context, {...found, units}, WAIT_SECONDS);
      return {
        units: [...stopping],
        stop: async () => requireDone(await stopWorker(service)),
        // Earlier starts count towards systemd's start limit. The counter is reset, so that this start is not refused.
        start: async () =>
          requireDone(await startWorker({...service, reset: true}).catch(saying([...stopping]))),
        others: units.some(({name}) => !sure.has(name)),
        interrupts: assigned.filter(({id, unit}) => !ids.has(id) && (unit === null || stopping.has(unit))),
      };
    },
  };
}

/** True if no systemd runs here, so that no worker can be stopped for a job. */
export async function isWithoutSystemd(context: Context, flags: UnitFlags): Promise<boolean> {
  const manager = await serviceManager(context, flags);
  return manager.directories().then(
    () => false,
    (error: unknown) => error instanceof AtomctlError && error.code === 'SYSTEMD_UNAVAILABLE',
  );
}

/** Says what to do by hand. */
function withoutSystemd(error: unknown): never {
  if (!(error instanceof AtomctlError) || error.code !== 'SYSTEMD_UNAVAILABLE') throw error;
  const hint = 'Nothing was changed. This says how to end an executing job here: atomctl jobs:kill ID';
  throw new AtomctlError(error.code, error.message, {hint, cause: error});
}

export const TO_START_AGAIN = 'To start it: atomctl worker:start --reset';

/** Says of a failure which units may still be stopped. */
export function saying(units: readonly string[]): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AtomctlError)) throw error;
    const message = `${units.join(', ')} may still be stopped: ${error.message}`;
    throw new AtomctlError(error.code, message, {
      hint: TO_START_AGAIN,
      cause: error,
    });
  };
}

/** @throws AtomctlError FAILED if a unit is not as it was to become */
export function requireDone(changes: readonly UnitChange[], hint?: string): void {
  const undone = changes.filter(({done}) => !done);
  if (undone.length === 0) return;
  throw new AtomctlError('FAILED', undone.map(({message}) => message).join(' '), hint ? {hint} : {});
}
