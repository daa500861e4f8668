import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {installed} from '../support/installed.ts';
import {type AtomSite, createScratch, createSite, runAtomctl, runOnTerminal} from '../support/sandbox.ts';

let site: AtomSite;
let failed: number;

beforeAll(async () => {
  site = await createSite();
  const common = {startedAt: '2026-03-04 13:00:00', finishedAt: '2026-03-04 13:00:30'};
  await site.insertJob({...common, name: 'CSV "export"'});
  failed = await site.insertJob({
    ...common,
    name: 'CSV "export"',
    status: 'error',
    userId: null,
    output: '[info] [2026-03-04 13:00:04] Job 2 "CSV "export"": Job started.\n',
    notes: [
      {text: 'Exception: no file "a.csv"', error: true},
      {text: 'Line: 12', error: true},
    ],
  });
  await site.insertJob({...common, startedAt: '2026-03-06 08:00:00', finishedAt: '2026-03-06 09:00:00'});
  await site.insertJob({status: 'running', startedAt: '2026-03-06 10:00:00'});
});

afterAll(() => site?.drop());

const stats = (...args: string[]) => runAtomctl(['jobs:stats', ...args], {env: site.env});

test('the JSON has its documented shape, for both spellings of the command', async () => {
  const [colon, space] = await Promise.all([
    stats('--json'),
    runAtomctl(['jobs', 'stats', '--json'], {env: site.env}),
  ]);
  expect([colon.code, colon.stderr]).toEqual([0, '']);
  const counts = (running: number, completed: number, error: number) => ({
    running,
    completed,
    error,
    unknown: 0,
  });
  const document = JSON.parse(colon.stdout);
  expect(document).toEqual({
    total: 4,
    counts: counts(1, 2, 1),
    oldestRunningSeconds: expect.any(Number),
    byName: [
      {
        name: 'CSV "export"',
        total: 2,
        counts: counts(0, 1, 1),
        failedShare: 0.5,
        waitSeconds: {median: 4, p95: 4, max: 4},
        runSeconds: {median: 26, p95: 26, max: 26},
        durationSeconds: {median: 30, p95: 30, max: 30},
        oldestRunningSeconds: null,
      },
      {
        name: 'arFindingAidJob',
        total: 2,
        counts: counts(1, 1, 0),
        failedShare: 0,
        waitSeconds: null,
        runSeconds: null,
        durationSeconds: {median: 3600, p95: 3600, max: 3600},
        oldestRunningSeconds: expect.any(Number),
      },
    ],
    days: [
      {day: '2026-03-04', counts: counts(0, 1, 1)},
      {day: '2026-03-06', counts: counts(1, 1, 0)},
    ],
    users: [
      {user: 'admin', userId: 448, total: 3, counts: counts(1, 2, 0)},
      {user: null, userId: null, total: 1, counts: counts(0, 0, 1)},
    ],
    failureReasons: [{reason: 'Exception: no file "…"', count: 1, exampleId: failed}],
  });
  expect(JSON.parse(space.stdout).byName).toHaveLength(2);
});

test('on a terminal a chart within its width, otherwise tables; filters apply', async () => {
  const env = {...site.env, NO_COLOR: '1'};
  const [terminal, pipe] = await Promise.all([
    runOnTerminal(['jobs:stats'], {env, columns: 50}),
    stats('--until', '2026-03-05', '--failed'),
  ]);
  expect(terminal.screen).toMatch(/^2026-03-05 +0 +0 *$/m);
  expect(terminal.screen).toMatch(/^2026-03-04 +1 +1 {2}█+▒+$/m);
  expect(Math.max(...terminal.screen.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50);
  expect(pipe.stdout).toMatch(/^1 jobs: 1 error\.\n/);
  expect(pipe.stdout).toMatch(/^2026-03-04 +0 +1$/m);
  expect(pipe.stdout).not.toMatch(/[█▒]|2026-03-06/);
});

test('metrics pass promtool; a file is replaced completely, and no temporary file is left', async ({
  skip,
}) => {
  skip(!installed('promtool'), 'promtool is not installed');
  const directory = createScratch('metrics');
  const file = join(directory, 'atom.prom');
  writeFileSync(file, 'old');
  const [printed, queue] = await Promise.all([
    stats('--prometheus'),
    runAtomctl(['queue:status', '--prometheus', '--output', join(directory, 'queue.prom')], {env: site.env}),
  ]);
  const written = await stats('--prometheus', '--output', file);
  expect([printed.code, written.code, written.stdout, queue.code, queue.stdout]).toEqual([0, 0, '', 3, '']);
  expect(printed.stdout).toContain('atom_jobs{name="CSV \\"export\\"",status="error"} 1\n');
  const strip = (text: string) => text.replace(/(?<=oldest_running_seconds.*} )\d+/g, 'N');
  expect(strip(readFileSync(file, 'utf8'))).toBe(strip(printed.stdout));
  expect(readFileSync(join(directory, 'queue.prom'), 'utf8')).toMatch(/^gearman_up\{server=".*"\} 0$/m);
  expect(readdirSync(directory).sort()).toEqual(['atom.prom', 'queue.prom']);
  // node_exporter reads all files of the directory: no series may occur twice.
  const both = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
  const series = both.join('').match(/^atom\S+(?: [^ ]+"\})?(?= )/gm) ?? [];
  expect(new Set(series).size).toBe(series.length);
  for (const text of both) {
    expect(execFileSync('promtool', ['check', 'metrics'], {input: text, encoding: 'utf8'})).toBe('');
  }
});

test('a file that cannot be written is reported; --output without --prometheus is a usage error', async () => {
  const [nowhere, plain] = await Promise.all([
    stats('--prometheus', '--output', '/nowhere/atom.prom'),
    stats('--output', 'x'),
  ]);
  expect([nowhere.code, plain.code]).toEqual([1, 2]);
  expect(nowhere.stderr).toMatch(/^Error: \/nowhere\/atom.prom could not be written/);
});
