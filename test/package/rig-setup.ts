import type {TestProject} from 'vitest/node';
import {setUpRig} from '../systemd/global-setup.ts';

/** Boots a Debian without Node.js. */
export default function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  return setUpRig(project, {node: false});
}
