import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {TestProject} from 'vitest/node';
import {removeScratch} from './scratch.ts';
import {type MariadbConnection, startMariadb} from './servers/mariadb.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The MariaDB of this test run. */
    mariadb: MariadbConnection;
  }
}

/** Builds what the end-to-end tests spawn, and starts one MariaDB for the whole run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)(fileURLToPath(new URL('../../bin/build.js', import.meta.url)));
  return provideMariadb(project);
}

/** Starts one MariaDB for the whole run. Returns what ends it. */
export async function provideMariadb(project: TestProject): Promise<() => Promise<void>> {
  const server = await startMariadb();
  const {host, port, socketPath, user, password} = server;
  project.provide('mariadb', {host, port, socketPath, user, password});
  return async () => {
    await server.kill();
    removeScratch();
  };
}
