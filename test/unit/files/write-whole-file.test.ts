import {chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {checkHistoryFile, writeHistoryFile} from '../../../src/files/write-whole-file.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'atomctl-history-'));
});

afterEach(() => rm(scratch, {recursive: true}));

async function* chunks(...texts: string[]): AsyncIterable<string> {
  yield* texts;
}

test('writes all chunks and leaves nothing beside the file', async () => {
  const path = join(scratch, 'history.csv');
  await writeHistoryFile({path, chunks: chunks('a,b\n', 'é,😀\n'), force: false});
  expect(await readFile(path, 'utf8')).toBe('a,b\né,😀\n');
  expect(await readdir(scratch)).toEqual(['history.csv']);
});

test('replaces an existing file only with force, through a link, and with its permissions', async () => {
  const file = join(scratch, 'history.csv');
  const link = join(scratch, 'latest.csv');
  await writeFile(file, 'old');
  await chmod(file, 0o600);
  await symlink('history.csv', link);
  const refused = writeHistoryFile({path: link, chunks: chunks('new'), force: false});
  await expect(refused).rejects.toMatchObject({code: 'OUTPUT_EXISTS', message: `${link} exists already.`});
  await expect(checkHistoryFile({path: link, force: false})).rejects.toMatchObject({code: 'OUTPUT_EXISTS'});
  expect(await readFile(file, 'utf8')).toBe('old');

  await writeHistoryFile({path: link, chunks: chunks('new'), force: true});
  expect(await readFile(file, 'utf8')).toBe('new');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readdir(scratch)).sort()).toEqual(['history.csv', 'latest.csv']);
});

test('keeps the old file and removes its own if the rows cannot be read to the end', async () => {
  const path = join(scratch, 'history.csv');
  await writeFile(path, 'old');
  async function* failing(): AsyncIterable<string> {
    yield 'new';
    throw new Error('the database is gone');
  }
  const failed = writeHistoryFile({path, chunks: failing(), force: true});
  await expect(failed).rejects.toThrow('the database is gone');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(scratch)).toEqual(['history.csv']);
});

test('names the reason if the file cannot be written', async () => {
  const path = join(scratch, 'no/such/history.csv');
  await expect(writeHistoryFile({path, chunks: chunks('x'), force: false})).rejects.toMatchObject({
    code: 'OUTPUT_FAILED',
    message: `${path} could not be written: its directory does not exist.`,
  });
  await expect(writeHistoryFile({path: scratch, chunks: chunks('x'), force: true})).rejects.toMatchObject({
    code: 'USAGE',
  });
});
