import type {TestProject} from 'vitest/node';
import {bootRig, type RigAddress} from './rig.ts';
import {whyNoRig} from './tree.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The booted machine, or why there is none. */
    rig: RigAddress | {skipped: string};
  }
}

/** Boots one systemd for all of its tests. Where it cannot, says why and lets the tests be skipped. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const reason = await whyNoRig();
  if (reason !== null) {
    console.warn(`Tests on a real systemd are skipped: ${reason}`);
    project.provide('rig', {skipped: reason});
    return undefined;
  }
  const {stop, ...rig} = await bootRig();
  project.provide('rig', rig);
  return stop;
}
