import {EXIT} from '../errors.ts';
import type {ServiceManager} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import type {UnitChange} from './service.ts';

/** The result of a change of a unit's settings in systemd, read back afterwards. */
export interface SettingChange {
  unit: string;
  done: boolean;
  message: string;
  /** As systemd reports it afterwards. */
  enablement: string;
  active: string;
  result: string;
}

/** Enables the units: they start at boot. @throws AtomctlError what the manager throws */
export function enableUnits(manager: ServiceManager, units: readonly UnitState[]): Promise<SettingChange[]> {
  return change(manager, units, 'enable', ({enablement}) => enablement.startsWith('enabled'), {
    done: 'will start when the machine starts.',
    not: 'is still not enabled.',
  });
}

/** Disables the units: they do not start at boot; a running one keeps running. @throws AtomctlError what the manager throws */
export function disableUnits(manager: ServiceManager, units: readonly UnitState[]): Promise<SettingChange[]> {
  return change(manager, units, 'disable', ({enablement}) => !enablement.startsWith('enabled'), {
    done: 'will not start when the machine starts.',
    not: 'is still enabled.',
  });
}

/** Clears the units' failure state and their count of starts. @throws AtomctlError what the manager throws */
export function resetUnits(manager: ServiceManager, units: readonly UnitState[]): Promise<SettingChange[]> {
  return change(manager, units, 'reset-failed', ({active}) => active !== 'failed', {
    done: 'has no failure state any more, and its count of starts is 0.',
    not: 'is still failed.',
  });
}

async function change(
  manager: ServiceManager,
  units: readonly UnitState[],
  verb: 'enable' | 'disable' | 'reset-failed',
  isDone: (after: UnitState) => boolean,
  texts: {done: string; not: string},
): Promise<SettingChange[]> {
  for (const {name} of units) await manager.change(verb, name);
  const after = await manager.show(units.map(({name}) => name));
  return after.map((unit) => {
    const done = isDone(unit);
    const {name, enablement, active, result} = unit;
    return {
      unit: name,
      done,
      message: `${name} ${done ? texts.done : texts.not}`,
      enablement,
      active,
      result,
    };
  });
}

type Change = UnitChange | SettingChange;

/** What a command that changed units prints as JSON. */
export function changesDocument<T extends Change>(
  changes: readonly T[],
): {done: boolean; units: readonly T[]} {
  return {done: changes.every(({done}) => done), units: changes};
}

/** 0 if every unit is as it was asked to be. */
export function changesExitStatus(changes: readonly Change[]): number {
  return changes.every(({done}) => done) ? EXIT.ok : EXIT.failed;
}
