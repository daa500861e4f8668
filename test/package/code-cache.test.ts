import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, it} from 'vitest';
import {type AtomSite, cleanEnvironment, createScratch, createSite} from '../support/sandbox.ts';
import {EXECUTABLE, MODULES, run} from './released.ts';

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
  await site.seedJobs(3);
  return () => site.drop();
});

async function listsJobs(executable: string): Promise<string> {
  const env = cleanEnvironment({...site.env, DEBUG: 'atomctl'});
  const {stdout, stderr} = await run(executable, ['jobs:list', '--ids'], {env});
  expect(stdout.trim().split('\n')).toHaveLength(3);
  return stderr;
}

it('the executable has a code cache that fits for each module that a list of jobs loads', async () => {
  expect(await listsJobs(EXECUTABLE)).not.toContain('code cache');
});

it('I1: code caches of another V8 are not used, and each is named with DEBUG', async () => {
  const modules = ['start/main.cjs', 'shared/common.cjs', 'commands/jobs-list.cjs', 'packages/mysql2.cjs'];
  const bytes = readFileSync(EXECUTABLE);
  for (const path of modules) {
    const start = bytes.indexOf(readFileSync(join(MODULES, `${path}.cache`)));
    // The hash of V8's version, after a magic number of four bytes.
    bytes[start + 4]! ^= 1;
  }
  const other = join(createScratch('code-cache'), 'atomctl');
  writeFileSync(other, bytes);
  chmodSync(other, 0o755);
  const stderr = await listsJobs(other);
  for (const path of modules) expect(stderr).toContain(`The code cache of ${path} does not fit.`);
});
