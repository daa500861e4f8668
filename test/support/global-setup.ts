import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {TestProject} from 'vitest/node';
import {type MariadbConnection, startMariadb} from './mariadb.ts';
import {removeScratch} from './scratch.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The MariaDB of this test run. */
    mariadb: MariadbConnection;
  }
}

/** Starts one MariaDB for the whole run and builds what the end-to-end tests spawn. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const [server] = await Promise.all([startMariadb(), build()]);
  const {host, port, socketPath, user, password} = server;
  project.provide('mariadb', {host, port, socketPath, user, password});
  return async () => {
    await server.kill();
    removeScratch();
  };
}

/** The compiler writes its output even where it finds fault; type errors are `npm run typecheck`'s to report. */
async function build(): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await promisify(execFile)('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {cwd: root}).catch(
    (error) => {
      console.warn(
        `The build found ${error.stdout.split('\n').length - 1} errors; npm run typecheck shows them.`,
      );
    },
  );
}
