import {EXIT} from '../errors.ts';
import type {SettingChange} from './enablement.ts';
import type {UnitChange} from './service.ts';

type Change = UnitChange | SettingChange;

/** What a command that changed units prints as JSON. */
export function changesDocument<T extends Change>(
  changes: readonly T[],
): {done: boolean; units: readonly T[]} {
  return {done: changes.every(({done}) => done), units: changes};
}

/** 0 where every unit is as it was asked to be. */
export function changesExitStatus(changes: readonly Change[]): number {
  return changes.every(({done}) => done) ? EXIT.ok : EXIT.failed;
}
