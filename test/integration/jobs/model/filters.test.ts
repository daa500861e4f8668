/** What only the database can say: names, users and objects as they are typed, files, and texts in logs and notes. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {createSiteTime} from '../../../../src/atom/site-time.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {listJobs} from '../../../../src/jobs/model/list.ts';
import {settleValues} from '../../../../src/jobs/model/settle-values.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../../support/sandbox.ts';

let site: AtomSite;
let database: Database;
/** Ids by the letters that name the jobs in the tests. */
const ids: Record<string, number> = {};

/** Adds a job whose log has these parameters and these lines. */
async function addJob(
  letter: string,
  {
    parameters,
    lines = [],
    ...job
  }: Parameters<AtomSite['insertJob']>[0] & {parameters?: string; lines?: string[]},
): Promise<void> {
  const id = await site.insertJob(job);
  ids[letter] = id;
  const name = job?.name ?? 'arFindingAidJob';
  const messages = [
    'Job started.',
    ...(parameters === undefined ? [] : [`Parameters: ${parameters}`]),
    ...lines,
  ];
  const log = messages.map((message) => `[info] [2026-03-04 10:00:07] Job ${id} "${name}": ${message}\n`);
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log.join(''), id]);
}

beforeAll(async () => {
  site = await createSite();
  database = await connectDatabase(site.config, {timeoutSeconds: 5});
  await addJob('a', {
    name: 'arFileImportJob',
    objectId: 512,
    userId: 449,
    parameters:
      '{"objectId":512,"file":{"name":"r\\u00e9sum\\u00e9 1.csv","tmp_name":"\\/tmp\\/phpX"},"index":true,"id":"1"}',
    lines: ['SQLSTATE[HY000]: Lock wait timeout'],
  });
  await addJob('b', {
    name: 'CSV export',
    downloadPath: 'downloads/jobs/0a1b.zip',
    parameters:
      '{"objectId":"512","objectIds":[7,"8"],"path":"512","name":"a\\"]} Parameters: {\\"objectId\\":9","id":"2"}',
    lines: ['Exported É'],
  });
  await addJob('c', {
    name: 'Résumé, part 1',
    downloadPath: 'downloads/smith-fonds.pdf',
    notes: [{text: 'Table is Locked', culture: 'fr', translations: {en: 'never shown'}}],
    parameters: '{"objectId":513,"nested":{"objectId":512},',
  });
  await addJob('d', {name: '100%_done!', userId: null, lines: ['"objectId":512, 100%_done!']});
  // An import that quotes another's parameters in a message.
  await addJob('e', {name: 'x": Parameters: {"objectId":512}', parameters: '{"objectId":1}'});
});

afterAll(async () => {
  await database?.close();
  await site?.drop();
});

async function letters(filter: JobFilter): Promise<string> {
  const time = createSiteTime('America/Vancouver', process.env);
  const sort = {key: 'id', descending: false} as const;
  const jobs = await listJobs({database, time, now: new Date(), filter, sort, limit: null, offset: 0});
  return jobs.map(({id}) => Object.keys(ids).find((letter) => ids[letter] === id)).join('');
}

describe('a file', () => {
  test.each([
    ['downloads/jobs/0a1b.zip', 'b'],
    ['0a1b.zip', 'b'],
    ['./0a1b.zip', 'b'],
    ['jobs/0a1b.zip', 'b'],
    ['/usr/share/nginx/atom/downloads/jobs/0a1b.zip', 'b'],
    ['https://archives.example.org/downloads/smith-fonds.pdf', 'c'],
    ['a1b.zip', ''],
    ['0A1B.zip', ''],
    ['0%.zip', ''],
    ['/', ''],
  ])('%s is that of %j', async (path, expected) => {
    expect(await letters({download: path})).toBe(expected);
  });
});

describe('a text', () => {
  test.each([
    ['sqlstate', 'a'],
    ['SQLSTATE[', 'a'],
    ['SqlState', ''],
    ['locked', 'c'],
    ['Locked', 'c'],
    ['never shown', ''],
    ['exported É', ''],
    ['Exported É', 'b'],
    ['100%_done!', 'd'],
    ['100%', 'd'],
    ['l%k', ''],
  ])('%j is in notes or logs of %j', async (text, expected) => {
    expect(await letters({grep: text})).toBe(expected);
  });
});

test('a text and a start: both must hold', async () => {
  expect(await letters({grep: '100%', since: '2026-03-04 13:05:00', until: '2026-03-05'})).toBe('d');
  expect(await letters({grep: '100%', until: '2026-03-04 13:05:00'})).toBe('');
});

describe('a parameter', () => {
  test.each<[string, string, string]>([
    ['objectId', '512', 'ab'],
    ['objectId', '1', 'e'],
    ['objectId', '9', ''],
    ['objectId', '51', ''],
    ['objectIds', '7', 'b'],
    ['objectIds', '8', 'b'],
    ['file.name', 'résumé 1.csv', 'a'],
    ['file.tmp_name', '/tmp/phpX', 'a'],
    ['file.name', 'r%', ''],
    ['index', 'true', 'a'],
    ['nested.objectId', '512', ''],
    ['name', 'a"]} Parameters: {"objectId":9', 'b'],
    ['*', '512', ''],
    ['$', '512', ''],
  ])('%s=%s is that of the job itself, whole and logged as JSON', async (key, value, expected) => {
    expect(await letters({params: [{key, values: [value]}]})).toBe(expected);
  });

  test('of one key any value, of two keys both', async () => {
    const objectId = {key: 'objectId', values: ['1', '512']};
    expect(await letters({params: [objectId]})).toBe('abe');
    expect(await letters({params: [objectId, {key: 'path', values: ['512']}]})).toBe('b');
  });
});

test('an object is found by its id through the index', async () => {
  expect(await letters({objectIds: [512]})).toBe('a');
  expect(await letters({objectIds: [513]})).toBe('');
});

test.each([
  "'",
  '"',
  '\\',
  "'; DROP TABLE job; --",
  '%',
  '_',
  '!',
  '`',
  '$."',
  '\u0000',
  '\ud800',
  '🐌',
  'x'.repeat(9000),
])('the hostile value %j is only a text', async (value) => {
  const filters: JobFilter[] = [
    {names: [value]},
    {users: [value]},
    {download: value},
    {grep: value},
    {params: [{key: value, values: [value]}]},
  ];
  for (const filter of filters) expect(await letters(filter)).toMatch(/^[a-e]*$/);
  await settleValues(database, {names: [value], users: [value], objects: [value]});
  expect(await letters({})).toBe('abcde');
});

describe('typed values', () => {
  const settle = async (typed: Parameters<typeof settleValues>[1]) => settleValues(database, typed);

  test('D4: a name is the whole name if a job has it, otherwise a part of a name', async () => {
    const {filter, parts, unknown} = await settle({names: ['CSV EXPORT', 'import', '*done*']});
    expect(filter).toEqual({names: ['CSV EXPORT', '*import*', '*done*']});
    expect([parts, unknown]).toEqual([['import'], []]);
    expect(await letters(filter)).toBe('abd');
  });

  test('a comma separates names, unless a job has it in its name', async () => {
    const {filter} = await settle({names: ['résumé, part 1', 'csv export, arFileImportJob,']});
    expect(filter.names).toEqual(['résumé, part 1', 'csv export', 'arFileImportJob']);
  });

  test('D4: of a name that no job has the names are known, and a job that comes now is not taken for it', async () => {
    const {filter, unknown} = await settle({names: ['nosuch']});
    expect(filter).toEqual({names: ['nosuch']});
    expect(unknown).toMatchObject([
      {kind: 'name', value: 'nosuch', existing: expect.arrayContaining(['CSV export'])},
    ]);
  });

  test('D17: users are separated by commas, - is for none; of an unknown one those with jobs are known', async () => {
    const {filter, unknown} = await settle({users: ['MARIE,-', 'bob']});
    expect(filter.users).toEqual(['MARIE', null, 'bob']);
    expect(unknown).toEqual([{kind: 'user', value: 'bob', existing: ['admin', 'marie']}]);
    expect(await letters(filter)).toBe('ad');
  });

  test('an object is an id, a slug, or a URL that ends with a slug', async () => {
    const {filter, unknown} = await settle({
      objects: ['513,smith-fonds', 'https://x.org/index.php/smith-fonds', 'none'],
    });
    expect(filter.objectIds).toEqual([513, 512, 512]);
    expect(unknown).toEqual([{kind: 'object', value: 'none', existing: []}]);
  });

  test('at most 21 names are read', async () => {
    const many = await createSite();
    for (let number = 0; number < 25; number++) await many.insertJob({name: `name ${number}`});
    const other = await connectDatabase(many.config, {timeoutSeconds: 5});
    const {unknown} = await settleValues(other, {names: ['nosuch']});
    expect(unknown[0]!.existing).toHaveLength(21);
    await other.close();
    await many.drop();
  });
});
