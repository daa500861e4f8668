import type {TestProject} from 'vitest/node';
import {removeScratch} from '../support/scratch.ts';
import {startMariadb} from '../support/servers/mariadb.ts';
import {startSearchServer} from '../support/servers/search-server.ts';
import {copyAtom, findInstallation, type InstalledAtom} from './installed-atom.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined if ATOM_ROOT names no installation; the tests then say how to give one. */
    installedAtom: InstalledAtom | undefined;
  }
}

/** So that what a test holds, no timeout of the database frees. */
const LONG_WAIT = ['--innodb-lock-wait-timeout=3600'];

/** Copies the installation that ATOM_ROOT names, once for the run, onto servers of its own. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const root = process.env.ATOM_ROOT;
  if (!root) return undefined;
  const installation = await findInstallation(root);
  if (typeof installation === 'string') {
    // Vitest would print a stack, and that it found no tests.
    process.stderr.write(`${installation}\n`);
    process.exit(1);
  }
  const [mariadb, search] = await Promise.all([startMariadb(LONG_WAIT), startSearchServer()]);
  const {host, port, socketPath, user, password} = mariadb;
  project.provide(
    'installedAtom',
    await copyAtom(installation, {
      mariadb: {host, port, socketPath, user, password},
      searchPort: search.port,
    }),
  );
  return async () => {
    search.close();
    await mariadb.kill();
    removeScratch();
  };
}
