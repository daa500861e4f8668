import {parse} from 'csv-parse/sync';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {createSiteTime, type SiteTime} from '../../../../src/atom/site-time.ts';
import {ATOM_COLUMNS, HISTORY_COLUMN_NAMES, type HistoryColumn} from '../../../../src/jobs/export/columns.ts';
import {exportRows, exportStatement} from '../../../../src/jobs/export/export-csv.ts';
import type {JobFilter} from '../../../../src/jobs/model/filter.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {harmlessCell, renderCsv} from '../../../../src/render/csv.ts';
import {ADMIN_ID, type AtomSite, createSite} from '../../../support/sandbox.ts';

const COUNT = 10_000;
const NASTY = [
  'plain',
  'say "hi"',
  'comma, and\nnewline',
  'tab\there',
  'windows\r\nline',
  '😀 emoji 👩‍👩‍👧',
  'שלום \u202Eright to left',
  "o'clock \\ backslash",
  '=HYPERLINK("http://x")',
  '+1',
  '-1',
  '@SUM(A1)',
  '\tstarts with a tab',
  ' | ',
  '',
];
const STATUS_IDS = [183, 184, 185, null, 160];

let site: AtomSite;
let database: Database;
let time: SiteTime;
let stored: StoredJob[];

interface StoredJob {
  id: number;
  start: Date;
  end: Date | null;
  name: string;
  statusId: number | null;
  userId: number | null;
  notes: string[];
}

/** Jobs that differ in everything, made by arithmetic so that the test can be repeated. */
function makeJob(index: number): StoredJob {
  const start = new Date(Date.UTC(2024, 0, 1) + index * 2_777_000);
  return {
    id: 100_000 + index * 3,
    start,
    end: index % 4 === 0 ? null : new Date(start.getTime() + index * 61_000),
    name: NASTY[index % NASTY.length]!,
    statusId: STATUS_IDS[index % STATUS_IDS.length]!,
    userId: [ADMIN_ID, 449, null][index % 3]!,
    notes: Array.from({length: index % 4}, (_, note) => NASTY[(index + note) % NASTY.length]!),
  };
}

const wall = (date: Date) => date.toISOString().slice(0, 19).replace('T', ' ');

async function insertAll(jobs: StoredJob[]): Promise<void> {
  const rows = <T>(make: (job: StoredJob) => T[]) => jobs.flatMap(make);
  await site.query('INSERT INTO object (id, class_name, created_at, updated_at) VALUES ?', [
    rows(({id, start}) => [[id, 'QubitJob', wall(start), wall(start)]]),
  ]);
  await site.query('INSERT INTO job (id, name, completed_at, user_id, status_id, output) VALUES ?', [
    rows(({id, name, end, userId, statusId}) => [[id, name, end && wall(end), userId, statusId, 'log\n']]),
  ]);
  let noteId = 1_000_000;
  const notes = rows(({id, notes: texts}) => texts.map((text) => ({id: noteId++, jobId: id, text})));
  await site.query('INSERT INTO note (id, object_id, source_culture) VALUES ?', [
    notes.map(({id, jobId}) => [id, jobId, id % 2 ? 'en' : 'fr']),
  ]);
  await site.query('INSERT INTO note_i18n (id, culture, content) VALUES ?', [
    notes.flatMap(({id, text}) => [
      [id, id % 2 ? 'en' : 'fr', text],
      [id, 'de', 'not this one'],
    ]),
  ]);
}

const CLOCK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h12',
});

/** AtoM's cell rules, written a second time by other means than the code under test. */
function atomRow(job: StoredJob): string[] {
  const date = (moment: Date | null) =>
    moment === null
      ? 'N/A'
      : `${moment.toISOString().slice(0, 10)} ${CLOCK.format(moment).replace(/\s/g, ' ')}`;
  const labels = new Map<number | null, string>([
    [183, 'Running'],
    [184, 'Completed'],
    [185, 'Error'],
  ]);
  const users = new Map<number | null, string>([
    [ADMIN_ID, 'admin'],
    [449, 'marie'],
  ]);
  return [
    date(job.start),
    date(job.end),
    job.name,
    labels.get(job.statusId) ?? 'Unknown',
    job.notes.join(' | '),
    users.get(job.userId) ?? 'None',
  ];
}

async function exportCsv(
  filter: JobFilter,
  {
    columns = ATOM_COLUMNS,
    escapeFormulas = false,
  }: {columns?: readonly HistoryColumn[]; escapeFormulas?: boolean} = {},
): Promise<string[][]> {
  const rows = exportRows({database, filter, columns, time, now: new Date('2026-03-01T00:00:00Z')});
  let csv = '';
  for await (const chunk of renderCsv(columns, rows, {escapeFormulas, bom: false})) csv += chunk;
  return parse(csv, {record_delimiter: '\n'});
}

beforeAll(async () => {
  site = await createSite({timezone: 'UTC'});
  [database, time] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    createSiteTime('UTC', process.env),
  ]);
  stored = Array.from({length: COUNT}, (_, index) => makeJob(index));
  await insertAll(stored);
});

afterAll(async () => {
  await database.close();
  await site.drop();
});

describe('exportRows', () => {
  test('equals, cell by cell, what AtoM writes for ten thousand jobs', async () => {
    const [header, ...rows] = await exportCsv({});
    expect(header).toEqual(['startDate', 'endDate', 'jobName', 'jobStatus', 'jobInfo', 'jobUser']);
    expect(rows).toHaveLength(COUNT);
    const different = rows.findIndex((row, index) => row.join('\0') !== atomRow(stored[index]!).join('\0'));
    expect(rows[different]).toEqual(different === -1 ? undefined : atomRow(stored[different]!));
  });

  test('covers midnight and noon, and every status and user', () => {
    const cells = new Set(
      stored.map(atomRow).flatMap((row) => [row[0]!.slice(11, 13) + row[0]!.slice(16), row[3], row[5]]),
    );
    expect([...cells]).toEqual(
      expect.arrayContaining([
        '12 AM',
        '12 PM',
        'Running',
        'Completed',
        'Error',
        'Unknown',
        'admin',
        'marie',
        'None',
      ]),
    );
  });

  test('escapes what a spreadsheet would run, and nothing else', async () => {
    const [, ...rows] = await exportCsv({}, {escapeFormulas: true});
    const harmless = stored.slice(0, 500).map((job) => atomRow(job).map(harmlessCell));
    expect(rows.slice(0, 500)).toEqual(harmless);
  });

  test('takes the filters', async () => {
    const marie = stored.filter(({userId, statusId}) => userId === 449 && statusId === 185);
    const rows = await exportCsv({users: ['marie'], statuses: ['error']}, {columns: ['id']});
    expect(rows.slice(1)).toEqual(marie.map(({id}) => [String(id)]));
    const bounds = {since: wall(stored[10]!.start), until: wall(stored[20]!.start)};
    expect((await exportCsv(bounds, {columns: ['id']})).slice(1)).toEqual(
      stored.slice(10, 20).map(({id}) => [String(id)]),
    );
    expect(await exportCsv({names: ['no such job']})).toHaveLength(1);
  });

  test('knows the columns of jobs:list too', async () => {
    const id = await site.insertJob({
      name: 'Inherit rights',
      status: 'running',
      startedAt: '2026-02-28 23:00:00',
      objectId: 512,
      notes: [{text: 'first', culture: 'fr', translations: {en: 'the first'}}, {text: 'second'}],
      userToken: 'secret-token',
    });
    const columns = HISTORY_COLUMN_NAMES.slice(ATOM_COLUMNS.length);
    const [header, row] = await exportCsv({ids: [id]}, {columns});
    const slug = (await site.query('SELECT slug FROM slug WHERE object_id = 512'))[0].slug;
    expect(Object.fromEntries(header!.map((name, index) => [name, row![index]]))).toEqual({
      id: String(id),
      started: '2026-02-28 23:00:00',
      finished: '',
      duration: '3600',
      name: 'Inherit rights',
      status: 'running',
      info: 'first | second',
      user: 'admin',
      object: slug,
    });
    await site.query('DELETE FROM object WHERE id = ?', [id]);
  });

  test('ends the query when its reader leaves', async () => {
    for await (const batch of exportRows({database, filter: {}, columns: ['id'], time, now: new Date(0)})) {
      // Of ten thousand.
      expect(batch.length).toBeLessThan(1500);
      break;
    }
    await expect(database.query('SELECT 1 AS alive')).resolves.toEqual([{alive: 1}]);
  });

  test.each<[string, JobFilter]>([
    ['everything', {}],
    ['one status', {statuses: ['error']}],
    ['a user', {users: ['admin', null]}],
    ['a start', {since: '2025-01-01 00:00:00'}],
  ])('reads %s in the order of the key: no sort, no temporary table', async (_, filter) => {
    const {sql, values} = exportStatement(filter, [...ATOM_COLUMNS, 'object']);
    const plan = await database.query<{table: string; Extra: string}>(`EXPLAIN ${sql}`, values);
    expect(plan[0]!.table).toBe('job');
    expect(plan.map(({Extra}) => Extra).join()).not.toMatch(/filesort|temporary|join buffer/i);
  });
});
