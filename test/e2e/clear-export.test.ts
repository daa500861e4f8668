import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type AtomSite, createSite, freePort, runAtomctl, startAtomctl, until} from '../support/sandbox.ts';
import {createScratch} from '../support/scratch.ts';

let site: AtomSite;
let file: string;

beforeAll(async () => {
  site = await createSite();
});

beforeEach(() => {
  file = join(createScratch('history'), 'history.csv');
});

afterEach(async () => {
  await site.query('DROP TABLE IF EXISTS plugin');
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
});

afterAll(() => site.drop());

const run = (...args: string[]) =>
  runAtomctl(['jobs:clear', '--yes', '--keep-queue', ...args], {env: site.env});

const rows = async () => (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);

const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);

/** A plugin's table that forbids the delete of a job. */
async function forbid(id: number): Promise<void> {
  await site.query('CREATE TABLE plugin (job_id INT, FOREIGN KEY (job_id) REFERENCES job (id))');
  await site.query('INSERT INTO plugin VALUES (?)', [id]);
}

/** A clear in batches of one job, with what happens after the first batch. */
async function clearWith(afterFirst: (send: (signal: NodeJS.Signals) => void) => unknown, ...args: string[]) {
  const [first] = await rows();
  const started = startAtomctl(
    ['jobs:clear', '--yes', '--batch-size', '1', '--pause', '2', '--export', file, ...args],
    {env: site.env},
  );
  await until(async () => !(await rows()).includes(first!));
  await afterFirst((signal) => started.child.kill(signal));
  return started.ended;
}

describe('a job that is Running in the file of --export', () => {
  test('stays if it ends before its batch, and a warning says to clear it with another file', async () => {
    const [, ending] = [
      await site.insertJob({status: 'error'}),
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'running'}),
    ];
    const end = () => site.query('UPDATE job SET status_id = 185 WHERE id = ?', [ending!]);
    const {code, stdout, stderr} = await clearWith(end, '--keep-queue');
    expect([code, await rows()]).toEqual([0, [ending]]);
    expect(stdout).toContain('2 jobs cleared: 1 running, 1 error.');
    expect(stderr).toContain(
      `Warning: Kept 1 job whose status changed after the export: ${ending}. To clear it, run the command again with another name for --export.`,
    );
    expect(lines(file)).toHaveLength(3);
  });
});

test('"-" is not taken for standard output', async () => {
  await site.insertJob({status: 'completed'});
  const before = await rows();
  const {code, stdout, stderr} = await run('--export', '-');
  expect([code, stdout, stderr]).toEqual([
    2,
    '',
    expect.stringMatching(/^Error: "-" is not the name of a file here\..*\.\/-/),
  ]);
  expect(await rows()).toEqual(before);
});

test('deletes no job that matches only after the export', async () => {
  const [, late] = [
    await site.insertJob({status: 'error', output: 'timeout'}),
    await site.insertJob({status: 'error', output: 'works'}),
    await site.insertJob({status: 'error', output: 'timeout'}),
  ];
  const change = () => site.query("UPDATE job SET output = 'timeout' WHERE id = ?", [late!]);
  const {code, stdout} = await clearWith(change, '--keep-queue', '--grep', 'timeout');
  expect([code, await rows(), lines(file).length]).toEqual([0, [late], 2]);
  expect(stdout).toContain('2 jobs cleared');
});

describe('a clear that is refused leaves the file of --export as it was:', () => {
  test.each<[string, string[], (id: number) => Promise<void>]>([
    ['no row can be deleted', [], forbid],
    ['a replica cannot be reached', ['--max-lag', '1', '--replica', '127.0.0.1:PORT'], async () => {}],
  ])('%s', async (_, args, prepare) => {
    const id = await site.insertJob({status: 'error'});
    await prepare(id);
    const port = String(await freePort());
    const given = args.map((arg) => arg.replace('PORT', port));
    writeFileSync(file, 'an earlier history');
    const replacing = await run('--export', file, '--force', ...given);
    expect([replacing.code, readFileSync(file, 'utf8')]).toEqual([expect.any(Number), 'an earlier history']);
    expect(replacing.code).not.toBe(0);
    const fresh = `${file}.new`;
    const refused = await run('--export', fresh, ...given);
    expect([refused.code, existsSync(fresh), await rows()]).toEqual([replacing.code, false, [id]]);
  });
});

describe('what a clear that stopped early says of its file:', () => {
  test.each([
    ['another name is needed', ['--force'], ' with another name for --export'],
    ['a dated name gets a number by itself', [], ''],
  ])('%s', async (_, flags, withName) => {
    const [, second] = [await site.insertJob({status: 'error'}), await site.insertJob({status: 'error'})];
    await forbid(second!);
    const path = flags.length > 0 ? file : file.replace('history.csv', 'history-%Y.csv');
    const {code, stderr} = await run('--batch-size', '1', '--export', path, ...flags);
    expect([code, await rows()]).toEqual([1, [second]]);
    expect(stderr).toContain(
      `1 job was cleared before this; correct this first, then run the command again${withName} to clear the rest.`,
    );
  });

  test('interrupted', async () => {
    await site.insertJob({status: 'error'});
    const second = await site.insertJob({status: 'error'});
    const {code, stderr} = await clearWith((send) => send('SIGINT'), '--keep-queue', '--force');
    expect([code, await rows(), lines(file).length]).toEqual([130, [second], 2]);
    expect(stderr).toContain(
      'The file of --export is the only record of these jobs. To clear the rest, run the command again with another name for --export.',
    );
  });
});
