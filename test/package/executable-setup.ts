import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {TestProject} from 'vitest/node';
import {provideMariadb} from '../support/global-setup.ts';

/** Makes the executable, and starts one MariaDB for the whole run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)(fileURLToPath(new URL('../../package/executable.js', import.meta.url)));
  return provideMariadb(project);
}
