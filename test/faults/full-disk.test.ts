import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, expect, onTestFinished, test} from 'vitest';
import {type AtomSite, cleanEnvironment, commandLine, createSite, runAtomctl} from '../support/sandbox.ts';

/** Whose history is a quarter of a megabyte as CSV: more than the disk, and more than any buffer. */
const JOBS = 4000;

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

beforeEach(async () => {
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  await site.seedJobs(JOBS);
});

afterAll(() => site?.drop());

/** A file system of 64 KiB; null if we may not mount one. */
function smallDisk(): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'atomctl-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], {stdio: 'ignore'});
  } catch {
    rmdirSync(directory);
    return null;
  }
  onTestFinished(() => {
    execFileSync('umount', [directory]);
    rmdirSync(directory);
  });
  return directory;
}

const jobCount = async () => (await site.query('SELECT id FROM job')).length;

test.for([
  ['jobs:export-csv', '--force', '--output'],
  ['jobs:clear', '--yes', '--force', '--export'],
])(
  '%s to a full disk: what was there stays, nothing is left beside it, nothing is cleared',
  async (args, {skip}) => {
    const disk = smallDisk();
    if (disk === null) return skip('mounting a small disk needs root');
    const file = join(disk, 'jobs.csv');
    writeFileSync(file, 'the old one\n');
    const {code, stdout, stderr} = await runAtomctl([...args, file], {env: site.env});
    const sentence = `Error: ${file} could not be written: the disk is full. No incomplete file is left. Check the free space and the write permission, or give another directory.\n`;
    expect([code, stdout, stderr]).toEqual([1, '', sentence]);
    expect(readdirSync(disk)).toEqual(['jobs.csv']);
    expect(readFileSync(file, 'utf8')).toBe('the old one\n');
    expect(await jobCount()).toBe(JOBS);
  },
);

test.each([['jobs:export-csv'], ['jobs:list', '--no-live'], ['jobs:list', '--all', '--no-live', '--json']])(
  'stdout on a full disk: %s says so and exits 1',
  async (...args) => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(...commandLine(args), {
      env: cleanEnvironment(site.env),
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([1, 'Error: Cannot write to stdout: the disk is full.\n']);
  },
);

test('a clear whose answer goes to a full disk is still carried out, and exits 1', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(...commandLine(['jobs:clear', '--yes', '--keep-queue']), {
    env: cleanEnvironment(site.env),
    stdio: ['ignore', full, 'ignore'],
  });
  closeSync(full);
  expect((await once(child, 'close'))[0]).toBe(1);
  expect(await jobCount()).toBe(0);
});

test('an audit log on a full disk: the change stays, and a warning says that the log may lack it', async ({
  skip,
}) => {
  const disk = smallDisk();
  if (disk === null) return skip('mounting a small disk needs root');
  const file = join(disk, 'audit.log');
  writeFileSync(file, 'x'.repeat(64 * 1024));
  const args = ['jobs:clear', '--yes', '--keep-queue', '--quiet', '--json', '--audit-log', file];
  const {code, stdout, stderr} = await runAtomctl(args, {env: site.env});
  expect([code, JSON.parse(stdout).cleared]).toEqual([0, JOBS]);
  const [warning, line] = stderr.split(' The log should have: ');
  expect(warning).toBe(
    'Warning: This change may be missing in the audit log: its file failed: the disk is full.',
  );
  expect(JSON.parse(line!)).toMatchObject({command: 'jobs:clear', result: {cleared: JOBS}});
});
