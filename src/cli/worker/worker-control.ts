import {AtomctlError} from '../../errors.ts';
import {BY_SYSTEMD} from '../../host-commands.ts';
import type {WorkerControl} from '../../jobs/model/worker-control.ts';
import type {UnitState} from '../../systemd/unit-state.ts';
import type {AssignedJob} from '../../worker/executing.ts';
import type {UnitChange} from '../../worker/service.ts';
import type {Context} from '../context.ts';
import {findWorker, serviceManager, type UnitFlags, workerService} from './unit-flags.ts';

/** How long Gearman may take to show that a worker has gone or has come back. */
const WAIT_SECONDS = 30;

/**
 * Stops the site's worker units and starts those again that were active, for kill and clear. Gearman verifies each change. Units that
 * provably execute none of the jobs that are to end keep running.
 * @param howToEnd the command that says how to end a job where no systemd runs
 * @throws AtomctlError SYSTEMD_UNAVAILABLE or NO_SUCH_UNIT, before anything was touched
 */
export async function workerControl(
  context: Context,
  flags: UnitFlags,
  howToEnd: string,
): Promise<WorkerControl> {
  const [{assignToUnits}, {startWorker, stopWorker}, found] = await Promise.all([
    import('../../worker/executing.ts'),
    import('../../worker/service.ts'),
    findWorker(context, flags).catch(sayingWithoutSystemd(howToEnd)),
  ]);
  const {scope} = found.manager;
  const alive = found.units.filter(hasWorker);
  const all = flags.unit === undefined ? alive : await everyUnit(context, flags, alive);
  return {
    async workersOf(ids, executing, {goBack}) {
      const assigned = await assignToUnits({jobs: executing, units: all, scope});
      refuseOtherUnits(assigned, {ids, alive});
      const unitOf = new Map(assigned.map(({id, unit}) => [id, unit]));
      const theirs = new Set([...ids].map((id) => unitOf.get(id) ?? null));
      const units = goBack || theirs.has(null) ? alive : alive.filter(({name}) => theirs.has(name));
      const sure = new Set(assigned.flatMap(({id, unit, isNamed}) => (isNamed && ids.has(id) ? [unit] : [])));
      const stopping = new Set(units.map(({name}) => name));
      const service = await workerService(context, {...found, units}, WAIT_SECONDS);
      // A unit that is being stopped on purpose is not started.
      const again = units.filter(({active}) => active !== 'deactivating');
      return {
        units: [...stopping],
        stop: async () => requireDone(await stopWorker(service)),
        // Earlier starts count towards systemd's start limit. The counter is reset, so that this start is not refused.
        start: async () => {
          const names = again.map(({name}) => name);
          if (names.length === 0) return;
          requireDone(await startWorker({...service, units: again, reset: true}).catch(saying(names)));
        },
        others: units.some(({name}) => !sure.has(name)),
        interrupts: assigned.filter(({id, unit}) => !ids.has(id) && (unit === null || stopping.has(unit))),
      };
    },
  };
}

/** Also of a unit that is being stopped: its worker may take its time. */
function hasWorker({active, mainPid}: UnitState): boolean {
  return active === 'active' || (active === 'deactivating' && mainPid !== null);
}

/** The site's units besides those that --unit names: they may execute the jobs. Without a root only the named ones are known. */
async function everyUnit(
  context: Context,
  flags: UnitFlags,
  named: readonly UnitState[],
): Promise<UnitState[]> {
  const all = await findWorker(context, {...flags, unit: undefined}).catch((error: unknown) => {
    if (error instanceof AtomctlError) return {units: []};
    throw error;
  });
  const names = new Set(named.map(({name}) => name));
  return [...named, ...all.units.filter((unit) => hasWorker(unit) && !names.has(unit.name))];
}

/** @throws AtomctlError REFUSED if a unit that --unit leaves out executes one of the jobs */
function refuseOtherUnits(
  assigned: readonly AssignedJob[],
  {ids, alive}: {ids: ReadonlySet<number>; alive: readonly UnitState[]},
): void {
  const may = new Set<string | null>(alive.map(({name}) => name));
  const other = assigned.find(({id, unit}) => ids.has(id) && unit !== null && !may.has(unit));
  if (other === undefined) return;
  throw new AtomctlError(
    'REFUSED',
    `Job ${other.id} is executed by ${other.unit}, which --unit leaves out.`,
    {
      hint: `Nothing was changed. Give --unit ${other.unit}, or omit --unit.`,
    },
  );
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
function sayingWithoutSystemd(howToEnd: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof AtomctlError) || error.code !== 'SYSTEMD_UNAVAILABLE') throw error;
    const hint = `Nothing was changed. This says how to end an executing job here: ${howToEnd}`;
    throw new AtomctlError(error.code, error.message, {hint, cause: error});
  };
}

export const TO_START_AGAIN = `To start it: ${BY_SYSTEMD.startWorker}`;

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
