import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {createSiteTime, type SiteTime} from '../../../../src/atom/site-time.ts';
import type {Context} from '../../../../src/cli/context.ts';
import {
  type Counting,
  fetchListing,
  type ListingFlags,
  type LogParts,
} from '../../../../src/cli/site/job-listing.ts';
import {countJobs, guessTotal, type JobTotals, totalJobs} from '../../../../src/jobs/model/count.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {lastLines} from '../../../../src/jobs/model/last-lines.ts';
import {type JobSort, listJobs, SORT_KEYS} from '../../../../src/jobs/model/list.ts';
import {runningRows} from '../../../../src/jobs/model/running-jobs.ts';
import {showJob} from '../../../../src/jobs/model/show.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database, SqlValue} from '../../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';

const NOW = new Date('2026-03-05T08:00:00Z');
const NEWEST_FIRST: JobSort = {key: 'id', descending: true};
const TOKEN = 'token-never-to-be-shown';

let site: AtomSite;
let database: Database;
let time: SiteTime;
/** Ids by the letters that the tests know the jobs by. */
const ids: Record<string, number> = {};

function line(id: number, message: string): string {
  return `[info] [2026-03-04 10:00:07] Job ${id} "arFindingAidJob": ${message}\n`;
}

beforeAll(async () => {
  site = await createSite();
  [database, time] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    createSiteTime('America/Vancouver', process.env),
  ]);
  const add = async (letter: string, job: Parameters<AtomSite['insertJob']>[0]) => {
    ids[letter] = await site.insertJob(job);
  };
  await add('a', {
    name: 'arFileImportJob',
    startedAt: '2026-01-10 08:00:00',
    finishedAt: '2026-01-10 08:01:30',
    objectId: 512,
    downloadPath: 'downloads/jobs/a.zip',
    notes: [
      {text: 'Importé', culture: 'fr', translations: {en: 'Imported'}},
      {text: 'Row 3 failed', error: true},
    ],
  });
  await add('b', {
    name: 'CSV export',
    status: 'error',
    startedAt: '2026-02-01 00:00:00',
    finishedAt: '2026-02-01 00:00:09',
    userId: 449,
  });
  await add('c', {name: 'csv export', startedAt: '2026-02-01 00:00:01', userId: null, userToken: TOKEN});
  await add('d', {name: '100%_done ', status: 'unknown', startedAt: '2026-02-03 00:00:00', finishedAt: null});
  await add('e', {name: 'arFileImportJob', status: 'running', startedAt: '2026-03-04 23:00:00'});
  await add('f', {
    name: 'arFindingAidJob',
    status: 'running',
    startedAt: '2026-03-04 10:00:00',
    userId: null,
  });
  const log =
    line(ids.f!, 'Job started.') +
    line(ids.f!, `Parameters: {"id":${ids.f},"name":"a\\": Parameters: b é"}`) +
    line(ids.f!, 'At work');
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log, ids.f]);
  await site.query('UPDATE job SET status_id = 160 WHERE id = ?', [ids.d]);
});

afterAll(async () => {
  await database.close();
  await site.drop();
});

const query = (filter: JobFilter, more = {}) => ({
  database,
  time,
  now: NOW,
  filter,
  sort: NEWEST_FIRST,
  limit: null,
  offset: 0,
  ...more,
});

async function letters(filter: JobFilter, more = {}): Promise<string> {
  const jobs = await listJobs(query(filter, more));
  return jobs.map(({id}) => Object.keys(ids).find((letter) => ids[letter] === id)).join('');
}

/** The database, and every statement sent to it. */
function recorded(): {spied: Database; statements: string[]} {
  const statements: string[] = [];
  const spied = Object.assign(Object.create(database) as Database, {
    query: (sql: string, values?: readonly SqlValue[]) => {
      statements.push(sql);
      return database.query(sql, values);
    },
    visit: (sql: string, values: readonly SqlValue[], visit: (row: readonly unknown[]) => void) => {
      statements.push(sql);
      return database.visit(sql, values, visit);
    },
  });
  return {spied, statements};
}

describe('a job', () => {
  test('has its notes in the culture they were written in, its user and its object', async () => {
    const jobs = await listJobs(query({ids: [ids.a!]}));
    const slug = (await site.query('SELECT slug FROM slug WHERE object_id = 512'))[0].slug;
    expect(jobs).toEqual([
      {
        id: ids.a,
        name: 'arFileImportJob',
        status: 'completed',
        live: null,
        likely: null,
        liveReason: null,
        startedAt: '2026-01-10T08:00:00-08:00',
        begunAt: null,
        finishedAt: '2026-01-10T08:01:30-08:00',
        durationSeconds: 90,
        waitedSeconds: null,
        user: 'admin',
        userId: 448,
        objectId: 512,
        objectType: 'informationobject',
        objectSlug: slug,
        downloadPath: 'downloads/jobs/a.zip',
        notes: [
          {text: 'Importé', error: false},
          {text: 'Row 3 failed', error: true},
        ],
      },
    ]);
  });

  test('was begun when its log began', async () => {
    const jobs = await listJobs(query({ids: [ids.f!, ids.e!]}, {begin: true}));
    expect(jobs.map(({begunAt, waitedSeconds}) => ({begunAt, waitedSeconds}))).toEqual([
      {begunAt: '2026-03-04T10:00:07-08:00', waitedSeconds: 7},
      {begunAt: null, waitedSeconds: null},
    ]);
  });

  test('has a last line, unless nothing was logged; a message that looks like one is not taken for it', async () => {
    const id = await site.insertJob({status: 'running', name: 'a'});
    const longMessage = `é${'x'.repeat(500)}`;
    const own = `[info] [2026-03-04 10:00:08] Job ${id} "a": `;
    await site.query('UPDATE job SET output = ? WHERE id = ?', [
      `${'early\n'.repeat(2000)}${own}${longMessage}\n at line 2\n[err] [2026-03-04 11:00:00] Job 1 "b": no\n`,
      id,
    ]);
    const lines = await lastLines(database, {ids: [ids.f!, ids.e!, id], time});
    expect([...lines]).toEqual([
      [ids.e, {at: null, message: ''}],
      [ids.f, {at: '2026-03-04T10:00:07-08:00', message: 'At work'}],
      [id, {at: '2026-03-04T10:00:08-08:00', message: longMessage.slice(0, 399)}],
    ]);
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('counts up to now while it runs, and has no duration if its end is not known', async () => {
    const jobs = await listJobs(query({ids: [ids.d!, ids.e!, ids.c!]}));
    expect(jobs.map(({status, durationSeconds, user}) => ({status, durationSeconds, user}))).toEqual([
      {status: 'running', durationSeconds: 3600, user: 'admin'},
      {status: 'unknown', durationSeconds: null, user: 'admin'},
      {status: 'completed', durationSeconds: 0, user: null},
    ]);
  });

  test('shows its log, its heartbeat and its parameters, and never a token', async () => {
    const job = await showJob({database, time, now: NOW, id: ids.f!});
    expect(job.log).toContain('At work');
    expect(job.lastActivityAt).toBe('2026-03-04T10:00:07-08:00');
    expect(job.parameters).toEqual({id: ids.f, name: 'a": Parameters: b é'});
    const anonymous = await showJob({database, time, now: NOW, id: ids.c!});
    expect(anonymous).toMatchObject({log: '', lastActivityAt: null, parameters: null});
    expect(JSON.stringify(anonymous)).not.toContain(TOKEN);
  });

  test('that is not there is an error, also if another object has the id', async () => {
    for (const id of [448, 999_999]) {
      await expect(showJob({database, time, now: NOW, id})).rejects.toMatchObject({
        code: 'NO_SUCH_JOB',
        message: `There is no job ${id}.`,
      });
    }
  });
});

describe('filters', () => {
  test.each<[string, () => JobFilter, string]>([
    ['nothing', () => ({}), 'fedcba'],
    ['a name, in upper or lower case', () => ({names: ['cSV export']}), 'cb'],
    ['names with wildcards', () => ({names: ['*f*job', 'CSV*']}), 'fecba'],
    ['a name whose signs are no wildcards', () => ({names: ['100%_done ']}), 'd'],
    ['a name without its trailing space', () => ({names: ['100%_done']}), ''],
    ['a pattern that LIKE would match', () => ({names: ['%', '___ export']}), ''],
    ['a user', () => ({users: ['marie']}), 'b'],
    ['a user in other letters', () => ({users: ['MARIE']}), 'b'],
    ['a user whose signs are no wildcards', () => ({users: ['m%', 'mari_', 'm*']}), ''],
    ['no user', () => ({users: [null]}), 'fc'],
    ['no user or a user', () => ({users: [null, 'marie']}), 'fcb'],
    ['an unknown status, whatever its id', () => ({statuses: ['unknown']}), 'd'],
    ['two statuses', () => ({statuses: ['running', 'error']}), 'feb'],
    ['a start: since is inclusive', () => ({since: '2026-02-01 00:00:01'}), 'fedc'],
    ['a start: until is exclusive', () => ({until: '2026-02-01 00:00:01'}), 'ba'],
    ['an age: strictly older', () => ({olderThan: '2026-02-01 00:00:00'}), 'a'],
    ['ids', () => ({ids: [ids.b!, ids.e!, 448]}), 'eb'],
    [
      'several criteria: all must hold',
      () => ({statuses: ['running'], names: ['ar*'], users: ['admin']}),
      'e',
    ],
    ['a criterion without values', () => ({names: []}), ''],
  ])('by %s', async (_, filter, expected) => {
    expect(await letters(filter())).toBe(expected);
    const {total, counts} = await totalJobs({database, filter: filter()});
    expect(total).toBe(expected.length);
    expect(Object.values(counts!).reduce((sum, count) => sum + count)).toBe(total);
  });

  test('are counted by status, whatever the page', async () => {
    const counts = {running: 2, completed: 2, error: 1, unknown: 1};
    expect((await listJobs(query({}, {limit: 1, offset: 2}))).map(({id}) => id)).toEqual([ids.d]);
    expect(await countJobs({database, filter: {}})).toEqual(counts);
    expect(await totalJobs({database, filter: {}})).toEqual({total: 6, counts});
    expect(await guessTotal({database, filter: {}})).toBeNull();
  });
});

describe('the total of a long history', () => {
  /** The site's database with the statistics of a long history. */
  function long(): Database {
    const {spied} = recorded();
    const send = spied.query.bind(spied);
    spied.query = async <T>(sql: string, values?: readonly SqlValue[]) => {
      const rows = await send<T>(sql, values);
      if (!sql.startsWith('EXPLAIN')) return rows;
      expect(Number((rows[0] as {rows: unknown}).rows)).toBeGreaterThan(0);
      return [{...rows[0]!, rows: 1_000_000}];
    };
    return spied;
  }

  test('is guessed by the server', async () => {
    expect(await guessTotal({database: long(), filter: {}})).toEqual({total: 1_000_000, counts: null});
  });

  test('is not guessed if a filter narrows it', async () => {
    expect(await guessTotal({database: long(), filter: {statuses: ['running']}})).toBeNull();
  });

  test.each<[Counting, Partial<ListingFlags>, JobTotals | null]>([
    ['quick', {}, {total: 1_000_000, counts: null}],
    ['exact', {}, {total: 6, counts: {running: 2, completed: 2, error: 1, unknown: 1}}],
    ['none', {}, null],
    ['quick', {live: ['uncertain']}, {total: 2, counts: {running: 2, completed: 0, error: 0, unknown: 0}}],
  ])('under a list: %s, with %j', async (counting, flags, totals) => {
    const context = {
      now: () => NOW,
      timeoutSeconds: 5,
      time: async () => time,
      database: async () => long(),
      servers: async () => [],
      site: async () => ({
        functionPrefix: async () => ({value: ''}),
        otherPrefixes: async () => [],
        serversNotAsked: async () => [],
        serversDoubt: async () => null,
        workersStatedHere: async () => false,
        configModifiedMs: async () => null,
        root: async () => ({value: null}),
        database: async () => ({value: null}),
      }),
    } as unknown as Context;
    const logs: LogParts = {begin: false, lastLines: 'none'};
    const page = {limit: 1, offset: 0, all: false, sort: '-id', probe: false};
    const wanted = {...page, ...flags} as ListingFlags;
    expect(await fetchListing(context, wanted, {counting, live: true, logs, notice: () => {}})).toMatchObject(
      {
        totals,
      },
    );
  });

  test.each<[string, JobFilter, number]>([
    ['of all', {}, 6],
    ['of a filter', {statuses: ['running']}, 2],
  ])('is counted if it is asked for: %s', async (_, filter, total) => {
    expect(await totalJobs({database: long(), filter})).toMatchObject({total});
  });
});

describe('sorting', () => {
  // Without a value comes below all others; ties go by id, in the same direction.
  test.each<[JobSort['key'], string]>([
    ['id', 'abcdef'],
    ['name', 'daefbc'],
    ['status', 'efacbd'],
    ['started', 'abcdfe'],
    ['finished', 'defacb'],
    ['duration', 'dcbaef'],
  ])('by %s, both ways', async (key, ascending) => {
    const upward = await letters({}, {sort: {key, descending: false}});
    const downward = await letters({}, {sort: {key, descending: true}});
    expect({upward, downward}).toEqual({
      upward: ascending,
      downward: upward.split('').reverse().join(''),
    });
  });

  test.each(SORT_KEYS)('by %s goes with a bound on the start', async (key) => {
    expect((await letters({since: '2026-02-01 00:00:00'}, {sort: {key, descending: false}})).length).toBe(5);
  });

  test.each<[string, JobFilter]>([
    ['all', {}],
    ['of one status', {statuses: ['error']}],
    ['of a user', {users: ['admin']}],
    ['since a day', {since: '2026-01-01 00:00:00'}],
  ])('newest first, %s, reads the key backwards without a sort', async (_, filter) => {
    const {spied} = recorded();
    let plan: {select_type: string; table: string; Extra: string | null}[] = [];
    spied.visit = async (sql, values) => {
      plan = await database.query(`EXPLAIN ${sql}`, values);
    };
    await listJobs(query(filter, {database: spied, limit: 50}));
    expect(plan.find((step) => step.select_type === 'DERIVED')!.table).toBe('job');
    expect(plan.map(({Extra}) => Extra).join()).not.toMatch(/filesort|temporary/i);
  });
});

test.each<[string, JobSort['key'], number]>([
  ['newest first', 'id', 1],
  ['in another order', 'name', 2],
])('a page, %s, costs so many statements however long it is, and none reads a log', async (_, key, count) => {
  for (const limit of [1, 6]) {
    const {spied, statements} = recorded();
    const jobs = await listJobs(query({}, {database: spied, limit, sort: {key, descending: true}}));
    expect(jobs).toHaveLength(limit);
    expect(statements).toHaveLength(count);
    expect(statements.join()).not.toContain('output');
  }
});

test('a job that goes after its place in the order was read is left out', async () => {
  const short = await site.insertJob({name: 'short'});
  const {spied} = recorded();
  spied.visit = async (sql, values, visit) => {
    await site.query('DELETE FROM object WHERE id = ?', [short]);
    await database.visit(sql, values, visit);
  };
  expect(await letters({}, {database: spied, sort: {key: 'name', descending: false}})).toBe('daefbc');
});

test('running rows come with what their logs tell, not with the logs', async () => {
  expect(await runningRows({database, filter: {}})).toEqual([
    {
      id: ids.e,
      name: 'arFileImportJob',
      objectId: null,
      startedAt: '2026-03-04 23:00:00',
      parameters: null,
      begun: null,
      starts: 0,
      finished: false,
      finishedAt: null,
      failed: false,
      logLength: 0,
      lastActivity: null,
    },
    {
      id: ids.f,
      name: 'arFindingAidJob',
      objectId: null,
      startedAt: '2026-03-04 10:00:00',
      parameters: `{"id":${ids.f},"name":"a\\": Parameters: b é"}`,
      begun: {first: '2026-03-04 10:00:07', last: '2026-03-04 10:00:07'},
      starts: 1,
      finished: false,
      finishedAt: null,
      failed: false,
      logLength: expect.any(Number),
      lastActivity: '2026-03-04 10:00:07',
    },
  ]);
  const later = await runningRows({database, filter: {until: '2026-03-04 12:00:00', users: [null]}});
  expect(later.map(({id}) => id)).toEqual([ids.f]);
});
