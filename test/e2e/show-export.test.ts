import {execFile, execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {parse} from 'csv-parse/sync';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {harmlessCell} from '../../src/render/csv.ts';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {
  ATOMCTL,
  type AtomSite,
  cleanEnvironment,
  createScratch,
  createSite,
  runAtomctl,
} from '../support/sandbox.ts';

const CELLS = [
  'say "hi", twice',
  'two\nlines\r\nand a third',
  'tab\there',
  '😀 👩‍👩‍👧',
  'שלום עולם',
  '=HYPERLINK("http://x")',
  '+1',
  '-1',
  '@SUM(A1)',
];

let site: AtomSite;
let scratch: string;
let first: number;
let running: number;

beforeAll(async () => {
  [site, scratch] = [await createSite(), createScratch('export')];
  for (const [index, name] of CELLS.entries()) {
    const id = await site.insertJob({
      name,
      status: index % 2 === 0 ? 'completed' : 'error',
      startedAt: `2025-06-01 ${index === 0 ? '00' : '12'}:0${index}:59`,
      notes: [{text: name}, {text: 'second'}],
      userId: index === 1 ? null : 448,
    });
    first ??= id;
  }
  running = await site.insertJob({
    name: 'arFindingAidJob',
    status: 'running',
    startedAt: '2025-06-02 23:30:00',
    objectId: 513,
  });
  const line = (time: string, message: string) =>
    `[info] [${time}] Job ${running} "arFindingAidJob": ${message}\n`;
  const log = [
    line('2025-06-02 23:30:01', 'Job started.'),
    line('2025-06-02 23:30:01', 'Parameters: {"id":1,"tab":"\\t"}'),
    line('2025-06-03 00:10:00', 'Half done'),
  ];
  await site.query('UPDATE job SET output = ? WHERE id = ?', [log.join(''), running]);
  const unknown = await site.insertJob({
    status: 'unknown',
    startedAt: '2025-06-03 09:00:00',
    finishedAt: null,
  });
  await site.query('UPDATE job SET status_id = 160 WHERE id = ?', [unknown]);
});

afterAll(() => site?.drop());

const env = () => ({...site.env, ATOMCTL_TIMEOUT: '60'});
const atomctl = (...args: string[]) => runAtomctl(args, {env: env()});

test('a job in JSON has its log, last activity and parameters; the text shows them too', async () => {
  const [json, text, missing, noJob] = await fewAtATime(
    [
      ['jobs:show', `${running}`, '--json', '--no-live'],
      ['jobs', 'show', `${first}`],
      ['jobs:show', '999999', '--json'],
      ['jobs:show', '512'],
    ],
    (args) => atomctl(...args),
  );
  const {durationSeconds, log, ...job} = JSON.parse(json!.stdout);
  expect(job).toEqual({
    id: running,
    name: 'arFindingAidJob',
    status: 'running',
    live: null,
    likely: null,
    liveReason: null,
    startedAt: '2025-06-02T23:30:00-07:00',
    begunAt: '2025-06-02T23:30:01-07:00',
    finishedAt: null,
    waitedSeconds: 1,
    user: 'admin',
    userId: 448,
    objectId: 513,
    objectType: 'informationobject',
    objectSlug: 'correspondence',
    downloadPath: null,
    notes: [],
    lastActivityAt: '2025-06-03T00:10:00-07:00',
    parameters: {id: 1, tab: '\t'},
  });
  expect(log).toMatch(/Job started\.[\s\S]*Half done\n$/);
  expect(durationSeconds).toBeGreaterThan(365 * 86_400);
  expect(text!.stdout).toMatch(
    /^Job \d+\n {2}Name: +say "hi", twice\n {2}Status: +completed\n {2}Started: +2025-06-01 00:00:59\n/,
  );
  expect(text!.stdout).toContain('\nNotes\n  say "hi", twice\n  second\n\nLog\n  (empty)\n');
  expect([missing!.code, missing!.stderr]).toEqual([4, '']);
  expect(JSON.parse(missing!.stdout)).toEqual({
    error: {code: 'NO_SUCH_JOB', message: 'There is no job 999999.', hint: expect.any(String)},
  });
  expect([noJob!.code, noJob!.stdout]).toEqual([4, '']);
  expect(noJob!.stderr).toMatch(/^Error: There is no job 512\. .+\n$/);
});

test("the export has AtoM's format, oldest first, and parses back; formulas are escaped by default", async () => {
  const [raw, escaped] = await fewAtATime([['--no-escape-formulas'], []], (args) =>
    atomctl('jobs', 'export-csv', ...args),
  );
  const [header, ...rows] = parse(raw!.stdout) as string[][];
  expect(header).toEqual(['startDate', 'endDate', 'jobName', 'jobStatus', 'jobInfo', 'jobUser']);
  expect(rows.map(([, , name]) => name)).toEqual([...CELLS, 'arFindingAidJob', 'arFindingAidJob']);
  expect(rows[0]).toEqual([
    '2025-06-01 12:00 AM',
    '2025-06-01 12:00 AM',
    'say "hi", twice',
    'Completed',
    'say "hi", twice | second',
    'admin',
  ]);
  expect(rows.map(([start]) => start).slice(1, 3)).toEqual(['2025-06-01 12:01 PM', '2025-06-01 12:02 PM']);
  expect(rows.map((row) => row[5]).slice(0, 3)).toEqual(['admin', 'None', 'admin']);
  expect(rows.slice(-2).map(([, end, , status]) => [end, status])).toEqual([
    ['N/A', 'Running'],
    ['N/A', 'Unknown'],
  ]);
  const names = (parse(escaped!.stdout) as string[][]).slice(1).map(([, , name]) => name);
  expect(names.slice(0, CELLS.length)).toEqual(CELLS.map(harmlessCell));
});

test('a file is complete or absent; an existing one is replaced only with --force', async () => {
  const file = join(scratch, 'jobs.csv');
  const written = await atomctl(
    'jobs:export-csv',
    '--output',
    file,
    '--columns',
    'id,status',
    '--bom',
    '--failed',
  );
  expect([written.code, written.stdout, written.stderr]).toEqual([0, '', `4 jobs exported to ${file}.\n`]);
  expect(readFileSync(file, 'utf8')).toBe(
    `\ufeffid,status\n${[1, 3, 5, 7].map((index) => `${first + index},error\n`).join('')}`,
  );
  const [refused, failed] = await fewAtATime(
    [
      ['--output', file],
      ['--force', '--output', file, '--timeout', '1', '--database-url', 'mysql://u:p@127.0.0.1:9/d'],
    ],
    (args) => atomctl('jobs:export-csv', ...args),
  );
  expect([refused!.code, refused!.stdout]).toEqual([2, '']);
  expect(refused!.stderr).toContain(`${file} already exists`);
  expect(failed!.code).toBe(3);
  expect(readFileSync(file, 'utf8')).toContain('id,status');
  const forced = await atomctl('jobs:export-csv', '--output', file, '--force', '--json');
  expect(JSON.parse(forced.stdout)).toEqual({exported: file, total: CELLS.length + 2});
  expect(parse(readFileSync(file))).toHaveLength(CELLS.length + 3);
  expect(readdirSync(scratch)).toEqual(['jobs.csv']);
});

test('a closed pipe ends the export quietly; a full disk is an error', async () => {
  await site.seedJobs(3000);
  const shell = (script: string) =>
    promisify(execFile)(
      'bash',
      ['-c', `set -o pipefail; atomctl() { ${ATOMCTL.join(' ')} "$@"; }; ${script}`],
      {
        env: cleanEnvironment(env()),
      },
    );
  for (const command of [
    'jobs:export-csv',
    'jobs:list --all --no-live --quiet',
    'jobs:list --all --no-live --json',
  ]) {
    const {stdout, stderr} = await shell(`atomctl ${command} | head -n 1`);
    expect([stdout.split('\n').length, stderr]).toEqual([2, '']);
  }
  for (const command of ['jobs:export-csv', 'jobs:show 512 --json', '--version', 'help filters']) {
    const full = await shell(`atomctl ${command} >/dev/full`).catch((error) => error);
    expect([full.code, full.stdout]).toEqual([1, '']);
    expect(full.stderr).toMatch(/^Error: Cannot write to stdout: the disk is full\.\n$/);
  }
});

test('on a full disk the old file stays and no temporary file is left', async (context) => {
  const disk = join(scratch, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], {stdio: 'ignore'});
  } catch {
    context.skip('only root may mount a small disk');
  }
  try {
    const file = join(disk, 'jobs.csv');
    writeFileSync(file, 'precious');
    const {code, stdout, stderr} = await atomctl('jobs:export-csv', '--output', file, '--force');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Error: \S+ could not be written: the disk is full\. .+\n$/);
    expect(readdirSync(disk)).toEqual(['jobs.csv']);
    expect(readFileSync(file, 'utf8')).toBe('precious');
  } finally {
    execFileSync('umount', [disk]);
  }
  expect(existsSync(disk)).toBe(true);
});
