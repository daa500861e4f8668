import {readdirSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {writeHeldCopy} from '../../../src/cli/change/held-copy.ts';
import {readSavedQueue} from '../../../src/queue/saved/saved-queue.ts';
import {createScratch} from '../../support/scratch.ts';

const savedAt = new Date('2026-11-26T21:00:00.123Z');
const NAME = 'atomctl-held-2026-11-26T210000123Z.json';
const JOB = {
  server: '127.0.0.1:4730',
  function: `${'a'.repeat(32)}-arFindingAidJob`,
  unique: 'b'.repeat(32),
  priority: 'normal' as const,
  logLength: null,
  payload: Buffer.from('{"id":"7"}'),
};

const scratch = () => createScratch('held-copy');
const write = (...directories: string[]) => writeHeldCopy([JOB], {directories, savedAt});

test('goes into the first directory that takes it, and only its owner can read it', async () => {
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  const [first, second] = [scratch(), scratch()];
  const file = await write(join(first, 'gone'), second, first);
  expect([file, readdirSync(second), readdirSync(first)]).toEqual([join(second, NAME), [NAME], []]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readSavedQueue(readFileSync(file, 'utf8'), file).jobs).toEqual([JOB]);
  await expect(write(join(first, 'gone'))).rejects.toMatchObject({code: 'OUTPUT_FAILED'});
});

test('replaces no file, and follows no link that another user has put there', async () => {
  const [file, link, dangling, last] = [scratch(), scratch(), scratch(), scratch()];
  writeFileSync(join(file, NAME), 'mine');
  writeFileSync(join(link, 'target'), 'precious');
  symlinkSync(join(link, 'target'), join(link, NAME));
  symlinkSync(join(dangling, 'target'), join(dangling, NAME));
  expect(await write(file, link, dangling, last)).toBe(join(last, NAME));
  expect(readFileSync(join(file, NAME), 'utf8')).toBe('mine');
  expect(readFileSync(join(link, 'target'), 'utf8')).toBe('precious');
  expect(readdirSync(dangling)).toEqual([NAME]);
});
