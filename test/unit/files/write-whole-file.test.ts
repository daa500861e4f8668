import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {AppendFile} from '../../../src/files/append-file.ts';
import {Directory} from '../../../src/files/directory.ts';
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

function write(
  path: string,
  content: AsyncIterable<string>,
  options: {force: boolean; numbered?: boolean; uid?: number},
): Promise<string> {
  return writeWholeFile({...OWN, path, chunks: content, ...options});
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
  await expect(refused).rejects.toMatchObject({code: 'OUTPUT_EXISTS', message: `${path} already exists.`});
  await expect(checkWholeFile({...OWN, path, force: false})).rejects.toMatchObject({code: 'OUTPUT_EXISTS'});
  expect(await readFile(path, 'utf8')).toBe('old');

  await write(path, chunks('new'), {force: true});
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect(await readdir(scratch)).toEqual(['history.csv']);
});

describe.each([
  ['with hard links', null],
  ['without hard links', 'EPERM'],
])('on a file system %s, a file that comes while another is written', (_, code) => {
  beforeEach(() => {
    if (code === null) return;
    vi.spyOn(Directory.prototype, 'link').mockRejectedValue(Object.assign(new Error(code), {code}));
  });
  afterEach(() => vi.restoreAllMocks());

  /** While these are written, another file of this name comes. */
  async function* late(name: string): AsyncIterable<string> {
    yield 'ours, ';
    await writeFile(join(scratch, name), 'theirs');
    yield 'complete';
  }

  test('is not replaced without force', async () => {
    const path = join(scratch, 'history.csv');
    await expect(write(path, late('history.csv'), {force: false})).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      message: `${path} already exists.`,
    });
    expect([await readFile(path, 'utf8'), await readdir(scratch)]).toEqual(['theirs', ['history.csv']]);
  });

  test('is not replaced by one that may have a number, which gets the next', async () => {
    const path = join(scratch, 'history.csv');
    await writeFile(path, 'the first');
    expect(await checkWholeFile({...OWN, path, force: false, numbered: true})).toBe(
      join(scratch, 'history-2.csv'),
    );
    expect(await write(path, late('history-2.csv'), {force: false, numbered: true})).toBe(
      join(scratch, 'history-3.csv'),
    );
    const names = ['history-2.csv', 'history-3.csv', 'history.csv'];
    expect((await readdir(scratch)).sort()).toEqual(names);
    const texts = await Promise.all(names.map((name) => readFile(join(scratch, name), 'utf8')));
    expect(texts).toEqual(['theirs', 'ours, complete', 'the first']);
    expect((await stat(join(scratch, 'history-3.csv'))).mode & 0o777).toBe(0o600);
  });

  test('is replaced with force', async () => {
    const path = join(scratch, 'history.csv');
    expect(await write(path, late('history.csv'), {force: true})).toBe(path);
    expect([await readFile(path, 'utf8'), await readdir(scratch)]).toEqual([
      'ours, complete',
      ['history.csv'],
    ]);
  });
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

test('S6: writes into the directory that was checked, whatever takes its place', async () => {
  const [place, aside, other] = ['place', 'aside', 'other'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  for (const directory of [place, other]) await mkdir(directory);
  await writeFile(join(other, 'history.csv'), 'precious');
  async function* swapping(): AsyncIterable<string> {
    yield 'new';
    await rename(place, aside);
    await symlink(other, place);
  }
  await write(join(place, 'history.csv'), swapping(), {force: true});
  expect([await readdir(aside), await readdir(other)]).toEqual([['history.csv'], ['history.csv']]);
  expect([
    await readFile(join(aside, 'history.csv'), 'utf8'),
    await readFile(join(other, 'history.csv'), 'utf8'),
  ]).toEqual(['new', 'precious']);
});

test('follows its own links on the way, also upwards', async () => {
  await mkdir(join(scratch, 'a/b'), {recursive: true});
  await symlink('a/b', join(scratch, 'link'));
  await write(`${scratch}/link/../history.csv`, chunks('new'), {force: false});
  expect(await readFile(join(scratch, 'a/history.csv'), 'utf8')).toBe('new');
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

  test('S6: is not written through a link of another user on the way', async () => {
    const link = join(scratch, 'exports');
    await mkdir(join(scratch, 'etc'));
    await symlink('etc', link);
    await lchown(link, NOBODY, NOBODY);
    const path = join(link, 'history.csv');
    for (const refused of [
      () => write(path, chunks('new'), {force: true}),
      () => checkWholeFile({...OWN, path, force: true}),
      () => AppendFile.open(path, OWN.uid),
    ]) {
      await expect(refused()).rejects.toMatchObject({
        code: 'USAGE',
        message: `${link} is a link of another user, who can change its target.`,
      });
    }
    expect(await readdir(join(scratch, 'etc'))).toEqual([]);
    await write(path, chunks('new'), {force: true, uid: NOBODY});
    expect(await readFile(join(scratch, 'etc/history.csv'), 'utf8')).toBe('new');
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
    message: `${path} could not be written: there is no directory ${join(scratch, 'no/such')}.`,
    hint: 'Create the directory, or give another path.',
  });
  await expect(write(scratch, chunks('x'), {force: true})).rejects.toMatchObject({
    code: 'USAGE',
  });
});
