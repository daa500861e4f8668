import {execFileSync} from 'node:child_process';
import {link, mkdtemp, readFile, rename, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {AppendFile} from '../../../src/files/append-file.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'atomctl-append-'));
});

afterEach(() => rm(scratch, {recursive: true}));

test('appends to a file that exists, and makes one that only its owner can read', async () => {
  const path = join(scratch, 'audit.log');
  for (const text of ['one\n', 'two\n']) {
    const file = await AppendFile.open(path, process.geteuid!());
    await file.append(text);
    await file.close();
  }
  expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual(['one\ntwo\n', 0o600]);
});

test.each<[string, (path: string) => Promise<unknown> | unknown, RegExp]>([
  ['S6: a link, also to a regular file', linkToFile, /is a symbolic link\.$/],
  ['S11: a pipe without a reader', (path) => execFileSync('mkfifo', [path]), /is not a regular file\.$/],
  ['a directory', (path) => execFileSync('mkdir', [path]), /is a directory\.$/],
])('%s is refused, and nothing is waited for', async (_what, make, message) => {
  const path = join(scratch, 'audit.log');
  await make(path);
  await expect(AppendFile.open(path, process.geteuid!())).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(message),
  });
});

test('a pipe with a reader is refused too', async () => {
  const path = join(scratch, 'audit.log');
  execFileSync('mkfifo', [path]);
  execFileSync('sh', ['-c', `sleep 1 < ${path} &`], {stdio: 'ignore'});
  await expect(AppendFile.open(path, process.geteuid!())).rejects.toMatchObject({code: 'USAGE'});
});

test('a device is refused, except for /dev/null, and a file in a directory that does not exist', async () => {
  const nowhere = await AppendFile.open('/dev/null', process.geteuid!());
  await nowhere.append('x');
  await nowhere.close();
  await expect(AppendFile.open('/dev/zero', process.geteuid!())).rejects.toMatchObject({
    message: '/dev/zero is not a regular file.',
  });
  const path = join(scratch, 'no', 'audit.log');
  await expect(AppendFile.open(path, process.geteuid!())).rejects.toMatchObject({
    message: `${path} is in a directory that does not exist.`,
  });
});

test('if the file was moved or removed meanwhile, a new one is made under its name', async () => {
  const path = join(scratch, 'audit.log');
  const file = await AppendFile.open(path, process.geteuid!());
  await file.append('one\n');
  await rename(path, `${path}.1`);
  await file.append('two\n');
  await rm(path);
  await file.append('three\n');
  await file.append('four\n');
  await file.close();
  expect([await readFile(`${path}.1`, 'utf8'), await readFile(path, 'utf8')]).toEqual([
    'one\n',
    'three\nfour\n',
  ]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('what has its name meanwhile is refused as at first', async () => {
  const path = join(scratch, 'audit.log');
  const file = await AppendFile.open(path, process.geteuid!());
  await rm(path);
  await linkToFile(path);
  await expect(file.append('x')).rejects.toMatchObject({
    code: 'USAGE',
    message: `${path} is a symbolic link.`,
  });
  await rm(path);
  await link(`${path}.target`, path);
  await expect(file.append('x')).rejects.toMatchObject({message: `${path} has a second name (a hard link).`});
  expect(await readFile(`${path}.target`, 'utf8')).toBe('');
  await file.close();
});

async function linkToFile(path: string): Promise<void> {
  await writeFile(`${path}.target`, '');
  await symlink(`${path}.target`, path);
}
