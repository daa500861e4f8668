import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type FollowStep, LogReader} from '../../../../src/jobs/wait/follow.ts';
import {startedIds} from '../../../../src/jobs/wait/wait.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';

let site: AtomSite;
let database: Database;

beforeAll(async () => {
  site = await createSite();
  database = await connectDatabase(site.config, {timeoutSeconds: 5});
});

afterAll(async () => {
  await database?.close();
  await site?.drop();
});

const append = (id: number, text: string) =>
  site.query("UPDATE job SET output = LEFT(CONCAT(COALESCE(output, ''), ?), 65534) WHERE id = ?", [text, id]);
const rewrite = (id: number, text: string | null) =>
  site.query('UPDATE job SET output = ? WHERE id = ?', [text, id]);
const part = (text: string, more: Partial<FollowStep['log']> = {}) => ({
  text,
  restarted: false,
  cut: false,
  ...more,
});

describe('reading a log bit by bit', () => {
  test('gives what is new, once, however it is written', async () => {
    const id = await site.insertJob({status: 'running', output: null});
    const reader = new LogReader(id);
    expect(await reader.read(database)).toEqual(part(''));
    const texts = [
      'Job started.\n',
      'Größe: 3\n日本語 👩‍👩‍👧\n',
      'it\'s \\ "quoted" %_\n',
      '\n',
      'Job finished.\n',
    ];
    for (const text of texts) {
      await append(id, text);
      expect(await reader.read(database)).toEqual(part(text));
      expect(await reader.read(database)).toEqual(part(''));
    }
    expect(await new LogReader(id).read(database)).toEqual(part(texts.join('')));
  });

  test('a log that was restarted is read from its start, also if it is longer than before or empty', async () => {
    const id = await site.insertJob({status: 'running', output: 'one\ntwo\n'});
    const reader = new LogReader(id);
    await reader.read(database);
    await rewrite(id, 'one\n');
    expect(await reader.read(database)).toEqual(part('one\n', {restarted: true}));
    await rewrite(id, 'ONE\ntwo\nthree\n');
    expect(await reader.read(database)).toEqual(part('ONE\ntwo\nthree\n', {restarted: true}));
    await append(id, 'four\n');
    expect(await reader.read(database)).toEqual(part('four\n'));
    await rewrite(id, null);
    expect(await reader.read(database)).toEqual(part('', {restarted: true}));
    await append(id, 'again\n');
    expect(await reader.read(database)).toEqual(part('again\n'));
  });

  test('a log at its cap says so, and its end comes whole', async () => {
    const id = await site.insertJob({status: 'running', output: 'a'.repeat(65_530)});
    const reader = new LogReader(id);
    expect(await reader.read(database)).toEqual(part('a'.repeat(65_530)));
    await append(id, '123456789');
    expect(await reader.read(database)).toEqual(part('1234', {cut: true}));
    await append(id, 'more');
    expect(await reader.read(database)).toEqual(part('', {cut: true}));
  });

  test('a job that is gone has no log', async () => {
    const id = await site.insertJob({status: 'running', output: 'one\n'});
    const reader = new LogReader(id);
    await reader.read(database);
    await site.query('DELETE FROM object WHERE id = ?', [id]);
    expect(await reader.read(database)).toEqual(part(''));
  });
});

test('which jobs have started is read from their logs', async () => {
  const line = '[info] [2026-03-04 13:05:00] Job 1 "arFindingAidJob": Job started.\n';
  const started = await site.insertJob({status: 'running', output: line});
  const waiting = await site.insertJob({status: 'running', output: null});
  const other = await site.insertJob({
    status: 'running',
    name: 'Job started.',
    output: 'Job started. Not.\n',
  });
  expect(await startedIds(database, [started, waiting, other])).toEqual(new Set([started]));
});
