import {AtomctlError} from '../../errors.ts';
import type {ServiceManager} from '../../systemd/systemctl.ts';
import type {UnitState} from '../../systemd/unit-state.ts';
import type {StartLimit} from '../../worker/start-limit.ts';
import {findUnits} from '../../worker/units.ts';
import {NotAvailable} from '../finding.ts';

/** A worker's unit, and how far it is from systemd's start limit. */
export interface WorkerUnit {
  unit: UnitState;
  limit: StartLimit;
}

/** The units that run this site's workers. @throws NotAvailable if there is no systemd, or no such unit */
export async function findWorkerUnits(options: {
  manager: ServiceManager;
  root: string | null;
  readLimit: (unit: UnitState) => Promise<StartLimit>;
}): Promise<WorkerUnit[]> {
  try {
    const units = await findUnits({...options, names: []});
    return await Promise.all(units.map(async (unit) => ({unit, limit: await options.readLimit(unit)})));
  } catch (error) {
    if (error instanceof AtomctlError) throw new NotAvailable(error.message);
    throw error;
  }
}
