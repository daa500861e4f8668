import {existsSync} from 'node:fs';
import {
  chown,
  lchown,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {countDownloads, deleteDownloads} from '../../../../src/jobs/clear/downloads.ts';

let scratch: string;
let directory: string;
let secret: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'atomctl-downloads-'));
  await mkdir(join(scratch, 'storage/jobs/deeper'), {recursive: true});
  await mkdir(join(scratch, 'storage/reports'));
  await mkdir(join(scratch, 'outside'));
  directory = join(scratch, 'downloads');
  await symlink('storage', directory);
  secret = join(scratch, 'outside/secret.zip');
  for (const file of [
    secret,
    ...['jobs/a.zip', 'jobs/deeper/b.zip', 'jobs/kept.zip', 'reports/r.csv', 'top.zip'].map((name) =>
      join(directory, name),
    ),
  ]) {
    await writeFile(file, 'content');
  }
  await symlink(join(scratch, 'outside'), join(directory, 'jobs/away'));
  await symlink(secret, join(directory, 'jobs/link.zip'));
  // Its path begins with that of jobs, and is not below it.
  await mkdir(join(scratch, 'storage/jobs-old'));
  await writeFile(join(directory, 'jobs-old/old.zip'), 'content');
  await symlink('../jobs-old', join(directory, 'jobs/old'));
});

afterEach(() => rm(scratch, {recursive: true}));

test('deletes the named files below downloads/jobs, through a linked downloads directory, and no others', async () => {
  const paths = ['downloads/jobs/a.zip', 'downloads/jobs/deeper/b.zip', 'downloads/jobs/gone-already.zip'];
  expect(await countDownloads({directory, paths})).toEqual({count: 2, bytes: 14});
  expect(await deleteDownloads({directory, paths})).toEqual({count: 2, bytes: 14, kept: []});
  expect(existsSync(join(directory, 'jobs/a.zip'))).toBe(false);
  expect(existsSync(join(directory, 'jobs/deeper/b.zip'))).toBe(false);
  expect(existsSync(join(directory, 'jobs/kept.zip'))).toBe(true);
});

test.each([
  'downloads/jobs/../../outside/secret.zip',
  'downloads/jobs/deeper/../../top.zip',
  'downloads/jobs/away/secret.zip',
  'downloads/jobs/link.zip',
  'downloads/jobs/old/old.zip',
  'downloads/jobs/deeper',
  'downloads/jobs//a.zip',
  'downloads/jobs/',
  'downloads/jobs',
  'downloads/reports/r.csv',
  'downloads/top.zip',
  '/etc/passwd',
  '../outside/secret.zip',
  'downloads/jobs/a.zip\0',
])('leaves %j alone and says so', async (path) => {
  expect(await deleteDownloads({directory, paths: [path]})).toEqual({count: 0, bytes: 0, kept: [path]});
  for (const file of ['jobs/a.zip', 'jobs/link.zip', 'jobs-old/old.zip', 'reports/r.csv', 'top.zip']) {
    expect(existsSync(join(directory, file))).toBe(true);
  }
  expect(existsSync(secret)).toBe(true);
});

test('leaves everything alone if jobs itself leads out of the downloads', async () => {
  await rm(join(directory, 'jobs'), {recursive: true});
  await symlink(join(scratch, 'outside'), join(directory, 'jobs'));
  const paths = ['downloads/jobs/secret.zip'];
  expect(await deleteDownloads({directory, paths})).toEqual({count: 0, bytes: 0, kept: paths});
  expect(existsSync(secret)).toBe(true);
});

test('S7: whatever replaces the directories during a delete, nothing outside goes', async () => {
  const count = 400;
  for (const place of ['jobs', 'jobs-old']) {
    for (let index = 0; index < count; index += 1) {
      await writeFile(join(directory, place, `${index}.zip`), 'content');
    }
  }
  const paths = Array.from({length: count}, (_, index) => `downloads/jobs/${index}.zip`);
  const storage = join(scratch, 'storage');
  let swapping = true;
  const swap = async () => {
    while (swapping) {
      await rename(join(storage, 'jobs'), join(storage, 'aside'));
      await symlink('jobs-old', join(storage, 'jobs'));
      await unlink(join(storage, 'jobs'));
      await rename(join(storage, 'aside'), join(storage, 'jobs'));
    }
  };
  // Repeated until a delete met the directory: if each met the link, nothing is proved.
  const deleteAll = async () => {
    for (let deleted = 0; deleted === 0; ) {
      for (let from = 0; from < count; from += 20) {
        deleted += (await deleteDownloads({directory, paths: paths.slice(from, from + 20)})).count;
      }
    }
  };
  await Promise.all([
    swap(),
    deleteAll().finally(() => {
      swapping = false;
    }),
  ]);
  const left = (await readdir(join(storage, 'jobs-old'))).filter((name) => /^\d+\.zip$/.test(name));
  expect(left).toHaveLength(count);
  const inJobs = (await readdir(join(storage, 'jobs'))).filter((name) => /^\d+\.zip$/.test(name));
  expect(inJobs.length).toBeLessThan(count);
});

test('a jobs directory of another user than the entry downloads is left alone', async ({skip}) => {
  skip(process.geteuid!() !== 0, 'only root can give a file to another user');
  const paths = ['downloads/jobs/a.zip'];
  await lchown(directory, 65_534, 65_534);
  expect(await deleteDownloads({directory, paths})).toEqual({count: 0, bytes: 0, kept: paths});
  await chown(join(scratch, 'storage/jobs'), 65_534, 65_534);
  expect(await deleteDownloads({directory, paths})).toEqual({count: 1, bytes: 7, kept: []});
});
