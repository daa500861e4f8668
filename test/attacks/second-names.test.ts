/** Another user gives a file of root a second name, a hard link, in a place to which root writes. */
import {linkSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type AtomSite, createScratch, createSite, runAtomctl} from '../support/sandbox.ts';

let site: AtomSite;
let secret: string;
let planted: string;

beforeAll(async () => {
  site = await createSite();
  const scratch = createScratch('second-names');
  secret = join(scratch, 'secret');
  planted = join(scratch, 'planted');
  writeFileSync(secret, 'keep\n', {mode: 0o600});
  linkSync(secret, planted);
});

afterAll(() => site?.drop());

test('an audit log with a second name is refused before anything is changed', async () => {
  const id = await site.insertJob({status: 'running', name: '$(touch proof)'});
  const {code, stderr} = await runAtomctl(['jobs:kill', `${id}`, '-y', '--force', '--audit-log', planted], {
    env: site.env,
  });
  expect([code, stderr]).toEqual([2, expect.stringContaining('has a second name (a hard link)')]);
  expect(readFileSync(secret, 'utf8')).toBe('keep\n');
  const [row] = await site.query('SELECT completed_at FROM job WHERE id = ?', [id]);
  expect(row).toEqual({completed_at: null});
});

test('an export replaces the name, and the file under its other name is as it was', async () => {
  const {code} = await runAtomctl(['jobs:export-csv', '--output', planted, '--force'], {env: site.env});
  expect([code, readFileSync(secret, 'utf8'), statSync(secret).nlink]).toEqual([0, 'keep\n', 1]);
  expect(readFileSync(planted, 'utf8')).toContain('jobName');
});
