import type {TestProject} from 'vitest/node';
import {bootRig, type RigAddress} from './rig.ts';
import {NoTree, systemTree, whyNoRig} from './tree.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The booted machine, or why there is none. */
    rig: RigAddress | {skipped: string};
  }
}

/** Boots one systemd for all of its tests. Where it cannot, says why and lets the tests be skipped. */
export default function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  return setUpRig(project, {node: true});
}

/** @param options see bootRig */
export async function setUpRig(
  project: TestProject,
  options: {node: boolean},
): Promise<(() => Promise<void>) | undefined> {
  const reason = await whyNoRig();
  const tree = reason === null ? await systemTree().catch(whyNoTree) : {skipped: reason};
  if (typeof tree !== 'string') {
    console.warn(`Tests on a real systemd are skipped: ${tree.skipped}`);
    project.provide('rig', tree);
    return undefined;
  }
  const {stop, ...rig} = await bootRig(tree, options);
  project.provide('rig', rig);
  return stop;
}

function whyNoTree(error: unknown): {skipped: string} {
  if (error instanceof NoTree) return {skipped: error.message};
  throw error;
}
