import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {type AtomSite, createSite, runAtomctl, runOnTerminal} from '../support/sandbox.ts';

let site: AtomSite;
/** Ids by the letters that name the jobs in the tests. */
const ids: Record<string, number> = {};

/** A wall-clock text of the site's zone, so many hours ago. */
function hoursAgo(hours: number): string {
  const moment = new Date(Date.now() - hours * 3_600_000);
  return moment.toLocaleString('sv-SE', {timeZone: 'America/Los_Angeles'});
}

beforeAll(async () => {
  site = await createSite();
  const add = async (letter: string, job: Parameters<AtomSite['insertJob']>[0]) => {
    ids[letter] = await site.insertJob(job);
  };
  await add('a', {
    name: 'arFileImportJob',
    // The clocks went back at two in that night: three hours by the wall clock, four in fact.
    startedAt: '2025-11-02 00:30:00',
    finishedAt: '2025-11-02 03:30:00',
    objectId: 512,
    downloadPath: 'downloads/jobs/a.zip',
    notes: [{text: 'Importé', culture: 'fr', translations: {en: 'Imported'}}],
  });
  await add('b', {
    name: 'CSV export',
    status: 'error',
    startedAt: '2025-11-02 01:30:00',
    userId: 449,
    notes: [{text: 'Row 3 is wrong', error: true}],
  });
  await add('c', {
    name: 'csv export',
    startedAt: '2025-11-02 02:30:00',
    userId: null,
    userToken: 'secret-token',
  });
  await add('d', {name: 'arFindingAidJob', startedAt: '2025-11-02 02:30:00'});
  await add('e', {
    name: 'arFindingAidJob',
    status: 'unknown',
    startedAt: '2025-12-01 00:00:00',
    finishedAt: null,
  });
  await add('f', {name: '100%_done', startedAt: '2025-12-01 00:00:01'});
  await add('g', {name: 'arObjectMoveJob', status: 'running', startedAt: hoursAgo(30)});
  await add('h', {name: 'arFindingAidJob', status: 'running', startedAt: hoursAgo(1), userId: 449});
  await site.query('UPDATE job SET status_id = 160 WHERE id = ?', [ids.f]);
  const line = (time: string, message: string) =>
    `[info] [2025-11-02 ${time}] Job ${ids.a} "arFileImportJob": ${message}\n`;
  const log = [line('00:30:16', 'Job started.'), line('00:30:20', 'Job finished.')].join('');
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log, ids.a]);
});

afterAll(() => site?.drop());

const atomctl = (...args: string[]) => runAtomctl(args, {env: {...site.env, ATOMCTL_TIMEOUT: '60'}});

const letterOf = (id: number) => Object.keys(ids).find((letter) => ids[letter] === id);

async function letters(...args: string[]): Promise<string> {
  const {stdout, code} = await atomctl('jobs:list', '--json', '--no-live', ...args);
  return code === 0
    ? JSON.parse(stdout)
        .jobs.map(({id}: {id: number}) => letterOf(id))
        .join('')
    : `exit ${code}`;
}

test('the JSON has its documented shape, for both spellings of the command', async () => {
  const filter = ['--json', '--no-live', '--name', 'arFileImportJob'];
  const [colon, space, front] = await Promise.all([
    atomctl('jobs:list', ...filter),
    atomctl('jobs', 'list', ...filter),
    runAtomctl(['--atom-root', site.root, '--json', '--timeout=3', 'jobs', 'list', ...filter.slice(1)]),
  ]);
  expect(colon).toEqual(space);
  expect(colon).toEqual(front);
  expect([colon.code, colon.stderr]).toEqual([0, '']);
  expect(JSON.parse(colon.stdout)).toEqual({
    jobs: [
      {
        id: ids.a,
        name: 'arFileImportJob',
        status: 'completed',
        live: null,
        likely: null,
        liveReason: null,
        startedAt: '2025-11-02T00:30:00-07:00',
        begunAt: '2025-11-02T00:30:16-07:00',
        finishedAt: '2025-11-02T03:30:00-08:00',
        durationSeconds: 4 * 3600,
        waitedSeconds: 16,
        user: 'admin',
        userId: 448,
        objectId: 512,
        objectType: 'informationobject',
        objectSlug: 'smith-fonds',
        downloadPath: 'downloads/jobs/a.zip',
        notes: [{text: 'Importé', error: false}],
      },
    ],
    total: 1,
    counts: {running: 0, completed: 1, error: 0, unknown: 0},
  });
});

test("total and counts cover all that match; a running job's duration goes up to now; no token is shown", async () => {
  const {stdout} = await atomctl('jobs:list', '--json', '--no-live', '--limit', '1', '--offset', '1');
  const {jobs, total, counts} = JSON.parse(stdout);
  expect({total, counts}).toEqual({total: 8, counts: {running: 2, completed: 3, error: 1, unknown: 2}});
  expect(jobs).toMatchObject([{id: ids.g, status: 'running', finishedAt: null, live: null}]);
  expect(jobs[0].durationSeconds).toBeGreaterThanOrEqual(30 * 3600);
  expect(jobs[0].durationSeconds).toBeLessThan(30 * 3600 + 600);
  expect((await atomctl('jobs:list', '--all', '--json')).stdout).not.toContain('secret-token');
});

test('each filter selects its jobs', async () => {
  const cases: [string, string[]][] = [
    ['hgb', ['--running', '--failed']],
    ['dcba', ['--completed', '--status', 'error', '--until', '2025-11-03']],
    ['fe', ['--status', 'unknown']],
    ['hedcb', ['--name', 'csv export', '--name', 'CSV*', '--name', 'arFinding*']],
    ['f', ['--name', '100%_done', '--name', 'ar_ileImportJob']],
    ['hcb', ['--user=-', '--user', 'marie', '--user', 'Adm']],
    ['c', ['--user', '-']],
    ['dcb', ['--since', '2025-11-02T01:30', '--until', '2025-12-01']],
    ['ba', ['--until', '2025-11-02 02:30:00']],
    // Half past one occurred twice in that night: at 08:30Z and at 09:30Z.
    ['a', ['--until', '2025-11-02T08:30:00Z']],
    ['dcb', ['--since', '2025-11-02T09:30Z', '--until', '2025-11-03']],
    ['gfedcba', ['--older-than', '2h']],
    ['h', ['--running', '--since', hoursAgo(2)]],
    ['da', ['--id', String(ids.a), '--id', String(ids.d), '--id', '448']],
    ['b', ['--failed', '--name', '*export', '--user', 'marie', '--since', '2025-11-02']],
  ];
  const seen = await fewAtATime(cases, ([, args]) => letters(...args));
  expect(seen.map((found, index) => [found, cases[index]![1]])).toEqual(cases);
});

test('each sort key in both directions, ties by id; pages', async () => {
  const cases: [string, string[]][] = [
    ['hgfedcba', ['--all']],
    ['fadehgbc', ['--sort', 'name']],
    ['cbghedaf', ['--sort', '-name']],
    ['ghacdbef', ['--sort', 'status']],
    ['dc', ['--sort=-started', '--limit', '2', '--offset', '4']],
    ['eghbcdaf', ['--sort', 'finished']],
    ['gah', ['--sort', '-duration', '--limit', '3']],
    ['', ['--offset', '100']],
  ];
  const seen = await fewAtATime(cases, ([, args]) => letters(...args));
  expect(seen.map((found, index) => [found, cases[index]![1]])).toEqual(cases);
});

describe('the table', () => {
  test('D5: in a pipe is not cut and has no colour, and stderr says how many of how many', async () => {
    const long = 'x'.repeat(255);
    const id = await site.insertJob({name: long, notes: [{text: long}]});
    try {
      const [plain, quiet] = await Promise.all([
        atomctl('jobs:list', '--limit', '2', '--no-live'),
        atomctl('jobs:list', '--limit', '2', '--no-live', '-q', '--columns', 'id,name,object'),
      ]);
      expect(plain.stdout).toMatch(new RegExp(`^ *${id} .*${long}.*${long}`, 'm'));
      expect(plain.stderr).toBe('2 of 9 jobs shown: 2 running, 4 completed, 1 error, 2 unknown.\n');
      expect(plain.stdout.split('\n')).toHaveLength(4);
      expect(plain.stdout).not.toContain('\u001b');
      expect(quiet.stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
        ['ID', 'NAME', 'OBJECT'],
        [String(id), long],
        [String(ids.h), 'arFindingAidJob'],
        [''],
      ]);
      expect(quiet.stderr).toBe('');
    } finally {
      await site.query('DELETE FROM object WHERE id = ?', [id]);
    }
  });

  test('on a terminal fits its width, in colour unless --no-color', async () => {
    const wide = [
      'jobs:list',
      '--no-live',
      '--columns',
      'id,started,finished,duration,name,status,live,info,user,object',
    ];
    const at80 = {env: site.env, columns: 80};
    const [fitted, uncut, plain] = await Promise.all([
      runOnTerminal(wide, at80),
      runOnTerminal([...wide, '--no-truncate'], at80),
      runOnTerminal(wide, {...at80, env: {...site.env, NO_COLOR: '1'}}),
    ]);
    expect([fitted.code, uncut.code, plain.code]).toEqual([0, 0, 0]);
    expect(fitted.screen).toContain('\u001b[31merror\u001b[39m');
    expect(plain.screen).not.toContain('\u001b');
    const widths = plain.screen.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    expect(plain.screen).toContain('…');
    expect(uncut.screen).not.toContain('…');
    expect(uncut.screen).toContain('Row 3 is wrong');
  });
});

test('--csv has the columns of the table', async () => {
  const columns = 'id,name,status,info,user,object,started,finished';
  const [csv, both] = await Promise.all([
    atomctl(
      'jobs:list',
      '--csv',
      '--no-live',
      '--columns',
      columns,
      '--id',
      String(ids.b),
      '--id',
      String(ids.a),
    ),
    atomctl('jobs:list', '--csv', '--json'),
  ]);
  expect(csv.stdout).toBe(
    `${columns}\n` +
      `${ids.b},CSV export,error,Row 3 is wrong,marie,,2025-11-02 01:30:00,2025-11-02 01:30:00\n` +
      `${ids.a},arFileImportJob,completed,Importé,admin,smith-fonds,2025-11-02 00:30:00,2025-11-02 03:30:00\n`,
  );
  expect([both.code, JSON.parse(both.stdout).error.code]).toEqual([2, 'USAGE']);
});

describe('what the logs say', () => {
  const all = ['jobs:list', '--no-live', '--name', 'arFileImportJob', '--all'];
  const firstJob = (json: string) => JSON.parse(json).jobs[0];

  test('is read for one page of a document, and for --all only if a column shows it', async () => {
    const [page, every, asked] = await fewAtATime(
      [
        [...all.slice(0, -1), '--json'],
        [...all, '--json'],
        [...all, '--json', '--columns', 'waited'],
      ],
      async (args) => firstJob((await atomctl(...args)).stdout).waitedSeconds,
    );
    expect([page, every, asked]).toEqual([16, null, 16]);
  });

  test('columns: when the last line was written, and how long the job waited, in CSV as seconds', async () => {
    const columns = ['--columns', 'id,activity,waited'];
    const [table, csv] = await fewAtATime([columns, [...columns, '--csv']], async (args) =>
      (await atomctl(...all, ...args)).stdout.split('\n'),
    );
    expect(table![1]!.trim().split(/ {2,}/)).toEqual([String(ids.a), '2025-11-02 00:30:20', '16s']);
    expect(csv).toEqual(['id,activity,waited', `${ids.a},2025-11-02 00:30:20,16`, '']);
  });
});

test('without Gearman the list is shown: the column has a question mark and stderr the reason', async () => {
  const running = await atomctl('jobs:list', '--running', '--timeout', '1');
  expect(running.code).toBe(0);
  expect(running.stdout).toMatch(/arObjectMoveJob +running +\?/);
  expect(running.stderr).toMatch(
    /^The live state is not certain: Gearman server \S+ cannot be reached: .*\n2 of 2 jobs shown: 2 running\.\n$/,
  );
});
