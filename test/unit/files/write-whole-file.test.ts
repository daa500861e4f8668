import {
  chmod,
  chown,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {checkWholeFile, writeWholeFile} from '../../../src/files/write-whole-file.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'atomctl-history-'));
});

afterEach(() => rm(scratch, {recursive: true}));

async function* chunks(...texts: string[]): AsyncIterable<string> {
  yield* texts;
}

const OWN = {mode: 0o600, uid: process.geteuid!()};

function write(path: string, content: AsyncIterable<string>, {force}: {force: boolean}): Promise<void> {
  return writeWholeFile({...OWN, path, chunks: content, force});
}

test('writes all chunks and leaves nothing beside the file', async () => {
  const path = join(scratch, 'history.csv');
  await write(path, chunks('a,b\n', 'é,😀\n'), {force: false});
  expect(await readFile(path, 'utf8')).toBe('a,b\né,😀\n');
  expect(await readdir(scratch)).toEqual(['history.csv']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('replaces an existing file only with force, and keeps its mode', async () => {
  const path = join(scratch, 'history.csv');
  await writeFile(path, 'old');
  await chmod(path, 0o640);
  const refused = write(path, chunks('new'), {force: false});
  await expect(refused).rejects.toMatchObject({code: 'OUTPUT_EXISTS', message: `${path} exists already.`});
  await expect(checkWholeFile({...OWN, path, force: false})).rejects.toMatchObject({code: 'OUTPUT_EXISTS'});
  expect(await readFile(path, 'utf8')).toBe('old');

  await write(path, chunks('new'), {force: true});
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect(await readdir(scratch)).toEqual(['history.csv']);
});

test('S6: replaces a link, and leaves alone what it leads to', async () => {
  const [file, link] = [join(scratch, 'precious'), join(scratch, 'latest.csv')];
  await writeFile(file, 'precious');
  await symlink('precious', link);
  await expect(write(link, chunks('new'), {force: false})).rejects.toMatchObject({code: 'OUTPUT_EXISTS'});
  await write(link, chunks('new'), {force: true});
  expect([await readFile(file, 'utf8'), await readFile(link, 'utf8')]).toEqual(['precious', 'new']);
  const written = await lstat(link);
  expect([written.isSymbolicLink(), written.mode & 0o777]).toEqual([false, 0o600]);
});

test('does not replace a link to a device, as /dev/stdout may be', async () => {
  const link = join(scratch, 'stdout');
  await symlink('/dev/null', link);
  await expect(write(link, chunks('new'), {force: true})).rejects.toMatchObject({code: 'USAGE'});
  expect(await readlink(link)).toBe('/dev/null');
});

describe('a file of another user', () => {
  beforeEach(({skip}) => skip(OWN.uid !== 0, 'only root can give a file to another user'));
  const NOBODY = 65534;

  test('keeps its owner and mode in a directory that only root may write', async () => {
    const path = join(scratch, 'history.csv');
    await writeFile(path, 'old');
    await chown(path, NOBODY, NOBODY);
    await chmod(path, 0o604);
    await write(path, chunks('new'), {force: true});
    const {uid, gid, mode} = await stat(path);
    expect([await readFile(path, 'utf8'), uid, gid, mode & 0o777]).toEqual(['new', NOBODY, NOBODY, 0o604]);
  });

  test.each([
    ['belongs to that user', NOBODY, 0o755],
    ['all may write', 0, 0o1777],
    ['a group may write', 0, 0o775],
  ])('S6: is refused in a directory that %s', async (_what, owner, mode) => {
    const path = join(scratch, 'history.csv');
    await writeFile(path, 'old');
    await chown(path, NOBODY, NOBODY);
    await chown(scratch, owner, 0);
    await chmod(scratch, mode);
    const refused = write(path, chunks('new'), {force: true});
    await expect(refused).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('belongs to another user'),
    });
    await expect(checkWholeFile({...OWN, path, force: true})).rejects.toMatchObject({code: 'USAGE'});
    expect([await readFile(path, 'utf8'), await readdir(scratch)]).toEqual(['old', ['history.csv']]);
  });
});

test('keeps the old file and removes its own if the rows cannot be read to the end', async () => {
  const path = join(scratch, 'history.csv');
  await writeFile(path, 'old');
  async function* failing(): AsyncIterable<string> {
    yield 'new';
    throw new Error('the database is gone');
  }
  const failed = write(path, failing(), {force: true});
  await expect(failed).rejects.toThrow('the database is gone');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(scratch)).toEqual(['history.csv']);
});

test('names the reason if the file cannot be written', async () => {
  const path = join(scratch, 'no/such/history.csv');
  await expect(write(path, chunks('x'), {force: false})).rejects.toMatchObject({
    code: 'OUTPUT_FAILED',
    message: `${path} could not be written: its directory does not exist.`,
  });
  await expect(write(scratch, chunks('x'), {force: true})).rejects.toMatchObject({
    code: 'USAGE',
  });
});
