import {existsSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {type ClearOptions, candidatesStatement, clearJobs} from '../../../../src/jobs/clear/clear-rows.ts';
import {countFiles} from '../../../../src/jobs/clear/job-files.ts';
import {planClear} from '../../../../src/jobs/clear/plan.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database, SqlValue} from '../../../../src/mysql/database.ts';
import {PLAIN_CLEAR} from '../../../support/jobs/plain-clear.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';
import {everyTable, insertAllKinds} from '../../../support/site/whole-site.ts';

let site: AtomSite;
let database: Database;
let empty: Record<string, unknown[]>;

beforeAll(async () => {
  site = await createSite();
  database = await connectDatabase(site.config, {timeoutSeconds: 5});
  empty = await everyTable(site);
});

afterEach(() => site.query("DELETE FROM object WHERE class_name = 'QubitJob'"));

afterAll(async () => {
  await database.close();
  await site.drop();
});

async function jobIds(): Promise<number[]> {
  return (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
}

async function clear(options: Partial<ClearOptions> & {filter?: JobFilter; inactive?: boolean} = {}) {
  const {filter = {}, inactive = false, ...others} = options;
  const plan = await planClear({database, filter, inactive});
  return clearJobs({database, plan, ...PLAIN_CLEAR, ...others}, null);
}

describe('clearJobs', () => {
  test('takes every job with all that belongs to it, and not one row more', async () => {
    await insertAllKinds(site);
    const result = await clear();
    expect(result).toMatchObject({
      cleared: 4,
      byStatus: {running: 1, completed: 1, error: 1, unknown: 1},
      interrupted: false,
    });
    expect(await everyTable(site)).toEqual(empty);
  });

  test('takes only the jobs of the filter, and with inactive none that runs', async () => {
    const ids = await insertAllKinds(site);
    expect((await planClear({database, filter: {}, inactive: true})).counts).toEqual({
      running: 0,
      completed: 1,
      error: 1,
      unknown: 1,
    });
    expect(await clear({filter: {statuses: ['running']}, inactive: true})).toMatchObject({cleared: 0});
    expect(await clear({filter: {users: [null]}})).toMatchObject({cleared: 1});
    expect(await clear({inactive: true})).toMatchObject({cleared: 2, byStatus: {completed: 1, unknown: 1}});
    expect(await jobIds()).toEqual([ids.running]);
    expect(await site.query('SELECT id FROM note WHERE object_id = ?', [ids.running])).toHaveLength(2);
  });

  test('leaves a job that began to run after it was chosen, and one that came after the question', async () => {
    const {completed} = await insertAllKinds(site);
    const plan = await planClear({database, filter: {statuses: ['completed']}, inactive: false});
    const later = await site.insertJob();
    const racing = withStatementHook(database, async (sql) => {
      if (sql.includes('FOR UPDATE'))
        await site.query('UPDATE job SET status_id = 183 WHERE id = ?', [completed]);
    });
    expect(await clear({database: racing, plan})).toMatchObject({cleared: 0});
    expect(await jobIds()).toEqual(expect.arrayContaining([completed, later]));
  });

  test('leaves jobs whose status changes after the export and before the lock, also without a filter', async () => {
    const ids = [
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'completed'}),
      await site.insertJob({status: 'error'}),
    ];
    const plan = await planClear({database, filter: {}, inactive: false});
    const [running, completed, error] = [
      Float64Array.of(ids[0]!, ids[1]!),
      Float64Array.of(ids[2]!),
      Float64Array.of(ids[3]!),
    ];
    const racing = withStatementHook(database, async (sql) => {
      if (sql.includes('FOR UPDATE'))
        await site.query('UPDATE job SET status_id = 184 WHERE id IN (?)', [[ids[1]!, ids[3]!]]);
    });
    const exported = {as: {running, completed, error, unknown: Float64Array.of()}, needsOtherName: true};
    const result = await clear({database: racing, plan: {...plan, exported}});
    expect(result).toMatchObject({cleared: 2, changedSince: new Set([ids[1], ids[3]])});
    expect(await jobIds()).toEqual([ids[1], ids[3]]);
  });

  test.each<[string, JobFilter, string]>([
    ['--grep', {grep: 'timeout'}, "output = CONCAT(output, 'timeout')"],
    ['--download', {download: 'out.zip'}, "download_path = 'downloads/jobs/out.zip'"],
    ['--user -', {users: [null]}, 'user_id = NULL'],
    ['--failed', {statuses: ['error', 'unknown']}, 'status_id = NULL'],
    ['--object', {objectIds: [512]}, 'object_id = 512'],
  ])('leaves a job that matches %s only after the question', async (_, filter, change) => {
    const other = {status: 'running', output: 'works ', userId: 449} as const;
    const matching = {status: 'error', output: 'timeout', downloadPath: 'downloads/jobs/out.zip'} as const;
    const asked = [
      await site.insertJob({...matching, userId: null, objectId: 512}),
      await site.insertJob({...other, objectId: null}),
      await site.insertJob({...matching, userId: null, objectId: 512}),
    ];
    const plan = await planClear({database, filter, inactive: false});
    expect(plan.total).toBe(2);
    await site.query(`UPDATE job SET ${change} WHERE id = ?`, [asked[1]!]);
    expect(await clear({plan, batchSize: 1})).toMatchObject({cleared: 2, byStatus: {error: 2}});
    expect(await jobIds()).toEqual([asked[1]]);
  });

  test('leaves a job of a lower id that was not saved yet at the question', async () => {
    const unsaved = await site.insertJob();
    await site.insertJob();
    const [object] = await site.query('SELECT * FROM object WHERE id = ?', [unsaved]);
    await site.query('DELETE FROM object WHERE id = ?', [unsaved]);
    const plan = await planClear({database, filter: {}, inactive: false});
    expect(plan).toMatchObject({total: 1});
    await site.query(
      "INSERT INTO object (id, class_name, created_at, updated_at) VALUES (?, 'QubitJob', ?, ?)",
      [unsaved, object!.created_at as string, object!.created_at as string],
    );
    await site.query('INSERT INTO job (id, name, status_id) VALUES (?, ?, 185)', [
      unsaved,
      'arFindingAidJob',
    ]);
    expect(await clear({plan})).toMatchObject({cleared: 1});
    expect(await jobIds()).toEqual([unsaved]);
  });

  test('counts what it deleted itself if another session deletes at the same time', async () => {
    const first = await site.seedJobs(25);
    const racing = withStatementHook(database, async (sql) => {
      if (sql.startsWith('DELETE FROM object'))
        await site.query('DELETE FROM object WHERE id = ?', [first + 3]);
    });
    expect(await clear({database: racing, batchSize: 10})).toMatchObject({cleared: 24, failure: null});
    expect(await jobIds()).toEqual([]);
  });

  test.each<[string, JobFilter]>([
    ['everything', {}],
    ['one status', {statuses: ['error']}],
    ['a user', {users: ['admin', null]}],
    ['a start', {until: '2025-01-01 00:00:00'}],
  ])('reads a batch by its key for %s: no sort, no temporary table', async (_, filter) => {
    const first = await site.seedJobs(2000);
    const batch = Array.from({length: 100}, (_, index) => first + 100 + index);
    const {sql, values} = candidatesStatement(filter, batch);
    const explained = await database.query<{table: string; Extra: string}>(`EXPLAIN ${sql}`, values);
    expect(explained[0]!.table).toBe('job');
    expect(explained.map(({Extra}) => Extra).join()).not.toMatch(/filesort|temporary|join buffer/i);
  });

  test('works through batches of any size, and tells how far it is', async () => {
    await site.seedJobs(25);
    const kept = await site.insertJob({userId: 449});
    const progress: number[] = [];
    const filter = {users: ['admin', null]};
    const result = await clear({filter, batchSize: 10, onProgress: (done) => progress.push(done)});
    expect(result).toMatchObject({cleared: 25, byStatus: {completed: 22, error: 3}});
    expect(progress).toEqual([10, 20, 25]);
    expect(await jobIds()).toEqual([kept]);
  });

  test('stops after the batch in which it is interrupted, also in a pause', async () => {
    await site.seedJobs(30);
    const interruption = new AbortController();
    const result = await clear({
      batchSize: 10,
      pauseSeconds: 600,
      signal: interruption.signal,
      onProgress: () => setImmediate(() => interruption.abort()),
    });
    expect(result).toMatchObject({cleared: 10, interrupted: true});
    expect(await jobIds()).toHaveLength(20);
  });

  test('deletes the files of the jobs that it deleted, and of no others', async () => {
    const downloads = join(site.root, 'downloads');
    await mkdir(join(downloads, 'jobs'), {recursive: true});
    for (const name of ['gone.zip', 'stays.zip']) await writeFile(join(downloads, 'jobs', name), 'zip');
    await site.insertJob({downloadPath: 'downloads/jobs/gone.zip'});
    await site.insertJob({downloadPath: '../../etc/passwd'});
    await site.insertJob({downloadPath: 'downloads/jobs/stays.zip', status: 'running'});
    expect(await clear({inactive: true, downloads})).toMatchObject({
      cleared: 2,
      downloadsDeleted: 1,
      downloadsKept: ['../../etc/passwd'],
    });
    expect(existsSync(join(downloads, 'jobs/gone.zip'))).toBe(false);
    expect(existsSync(join(downloads, 'jobs/stays.zip'))).toBe(true);
  });

  test('leaves a file that a job names too that stays; the last of its jobs takes it', async () => {
    const downloads = join(site.root, 'downloads');
    await mkdir(join(downloads, 'jobs'), {recursive: true});
    for (const name of ['one.zip', 'two.zip']) await writeFile(join(downloads, 'jobs', name), 'zip');
    for (const [name, status] of [
      ['one', 'completed'],
      ['one', 'error'],
      ['two', 'error'],
      ['two', 'error'],
    ] as const)
      await site.insertJob({status, downloadPath: `downloads/jobs/${name}.zip`});
    const failed = await planClear({database, filter: {statuses: ['error']}, inactive: false});
    expect(await countFiles(database, failed, downloads)).toEqual({count: 1, bytes: 3});
    expect(await clear({plan: failed, downloads, batchSize: 1})).toMatchObject({
      cleared: 3,
      downloadsDeleted: 1,
      downloadsKept: [],
    });
    expect(['one', 'two'].map((name) => existsSync(join(downloads, `jobs/${name}.zip`)))).toEqual([
      true,
      false,
    ]);
    expect(await clear({downloads})).toMatchObject({cleared: 1, downloadsDeleted: 1});
    expect(existsSync(join(downloads, 'jobs/one.zip'))).toBe(false);
  });

  test('deletes a job row alone if its object row is missing or is not a job', async () => {
    const [lone, foreign] = [await site.insertJob(), 513];
    await site.query('SET foreign_key_checks = 0');
    await site.query('DELETE FROM object WHERE id = ?', [lone]);
    await site.query("INSERT INTO job (id, name) VALUES (?, 'stray')", [foreign]);
    await site.query('SET foreign_key_checks = 1');
    expect(await clear()).toMatchObject({cleared: 2});
    expect(await everyTable(site)).toEqual(empty);
  });

  test('says what it did if a plugin of the site forbids the delete', async () => {
    const ids = await insertAllKinds(site);
    await site.query(
      'CREATE TABLE plugin_log (id INT PRIMARY KEY, CONSTRAINT p FOREIGN KEY (id) REFERENCES object (id))',
    );
    await site.query('INSERT INTO plugin_log VALUES (?)', [ids.unknown]);
    try {
      const {failure, ...result} = await clear({batchSize: 2});
      expect(result).toMatchObject({cleared: 2, byStatus: {completed: 1, error: 1}});
      expect(failure).toMatchObject({code: 'DATABASE_ERROR'});
      expect(failure!.message).toContain('plugin_log');
      expect(failure!.message).not.toContain('\n');
      expect(await jobIds()).toEqual([ids.unknown, ids.running]);
    } finally {
      await site.query('DROP TABLE plugin_log');
    }
  });
});

/** The database, with something that happens just before a statement inside a transaction is sent. */
function withStatementHook(real: Database, before: (sql: string) => Promise<void>): Database {
  return Object.assign(Object.create(real) as Database, {
    query: real.query.bind(real),
    transaction: <T>(work: Parameters<typeof real.transaction<T>>[0]) =>
      real.transaction((tx) =>
        work({
          execute: async (sql: string, values?: readonly SqlValue[]) => {
            await before(sql);
            return tx.execute(sql, values);
          },
          query: async <R>(sql: string, values?: readonly SqlValue[]) => {
            await before(sql);
            return tx.query<R>(sql, values);
          },
        }),
      ),
  });
}
