import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse} from 'csv-parse/sync';
import {afterAll, beforeAll, beforeEach, expect, onTestFinished, test} from 'vitest';
import {
  createScratch,
  type GearmanProcess,
  type MariadbProcess,
  type RunResult,
  runAtomctl,
  type StartedAtomctl,
  startAtomctl,
  startGearmand,
  startMariadb,
  until,
} from '../support/sandbox.ts';
import {startStallingProxy} from '../support/servers/stalling-proxy.ts';
import {createMortalSite, type MortalSite} from '../support/site/mortal-site.ts';

const JOBS = 9000;
/** Of the bytes that an export of so many reads: it stands in the middle then, until its connection ends. */
const HALF = 400_000;
const ONE_SENTENCE = /^Error: The connection to the MySQL server at \S+ was lost\. [^\n]*\n$/;

let mariadb: MariadbProcess;
let gearmand: GearmanProcess;
let site: MortalSite;
let directory: string;

beforeAll(async () => {
  [mariadb, gearmand] = await Promise.all([startMariadb(), startGearmand()]);
});

beforeEach(async () => {
  site = await createMortalSite(mariadb, {gearman: [gearmand.endpoint]});
  directory = createScratch('killed');
});

afterAll(async () => {
  await Promise.all([mariadb?.kill(), gearmand?.kill()]);
});

/** Ends the server as a crash would, lets atomctl notice, and starts the server again. */
async function crashUnder(run: StartedAtomctl): Promise<RunResult> {
  await mariadb.kill();
  try {
    return await run.ended;
  } finally {
    await mariadb.start();
  }
}

/** An export that has read half of the history and waits for the rest. */
async function startExport(args: readonly string[]): Promise<StartedAtomctl> {
  await site.seedJobs(JOBS);
  const proxy = await startStallingProxy(mariadb.port, {stallAfter: HALF});
  onTestFinished(() => proxy.close());
  const url = site.databaseUrl.replace(`:${mariadb.port}/`, `:${proxy.port}/`);
  const run = startAtomctl(['jobs:export-csv', ...args], {env: {...site.env, ATOMCTL_DATABASE_URL: url}});
  await until(() => proxy.received() >= HALF);
  return run;
}

test('in the middle of an export to a file: the old file stays whole, a second run completes it', async () => {
  const file = join(directory, 'jobs.csv');
  writeFileSync(file, 'the old one\n');
  const args = ['--output', file, '--force'];
  const run = await startExport(args);
  await until(() => readdirSync(directory).length === 2);
  const {code, stdout, stderr} = await crashUnder(run);
  expect([code, stdout, stderr]).toEqual([3, '', expect.stringMatching(ONE_SENTENCE)]);
  expect(readdirSync(directory)).toEqual(['jobs.csv']);
  expect(readFileSync(file, 'utf8')).toBe('the old one\n');
  expect(await runAtomctl(['jobs:export-csv', ...args], {env: site.env})).toMatchObject({code: 0});
  expect(parse(readFileSync(file))).toHaveLength(JOBS + 1);
});

test('in the middle of an export to stdout: whole lines up to the break, and an exit status that tells', async () => {
  const run = await startExport(['--columns', 'id,info']);
  const {code, stdout, stderr} = await crashUnder(run);
  expect([code, stderr]).toEqual([3, expect.stringMatching(ONE_SENTENCE)]);
  const [header, ...rows] = parse(stdout);
  expect(header).toEqual(['id', 'info']);
  expect(rows.length).toBeLessThan(JOBS);
  const ids = (await site.jobIds()).slice(0, rows.length);
  expect(rows).toEqual(ids.map((id) => [String(id), id % 3 === 0 ? `Note of job ${id}` : '']));
});

test('in the middle of a clear: what it says is gone is gone, whole, and a second run clears the rest', async () => {
  const total = 5000;
  const batch = 20;
  await site.seedJobs(total);
  const args = ['jobs:clear', '--yes', '--json', '--batch-size', String(batch)];
  const run = startAtomctl(args, {env: site.env});
  await until(async () => (await site.jobIds()).length < total);
  const {code, stdout, stderr} = await crashUnder(run);
  const left = (await site.jobIds()).length;
  const {cleared} = JSON.parse(stdout);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^Warning: The connection to the MySQL server at \S+ was lost\. \d+ jobs? (was|were) cleared before this(, and perhaps the next ones too)?; run the command again to clear the rest\.\n$/,
  );
  // The server may have committed one batch more, and died before it could say so.
  expect([total - left, total - left - batch]).toContain(cleared);
  expect(cleared).toBeGreaterThan(0);
  expect(left).toBeGreaterThan(0);
  expect(await site.remnants()).toBe(0);

  const second = await runAtomctl(args, {env: site.env});
  expect([second.code, JSON.parse(second.stdout).cleared]).toEqual([0, left]);
  expect(await site.jobIds()).toEqual([]);
  expect(await site.remnants()).toBe(0);
});

test('in the middle of a kill: each job is reported as it is, and a second run kills the rest', async () => {
  await site.seedJobs(4000);
  await site.query('UPDATE job SET status_id = 183, completed_at = NULL, output = NULL');
  await site.query('DELETE FROM note');
  const ids = (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
  const marked = async () =>
    (
      await site.query<{id: number}>(
        `SELECT job.id FROM job JOIN note ON note.object_id = job.id AND note.type_id = 197
         JOIN note_i18n ON note_i18n.id = note.id WHERE status_id = 185 AND completed_at IS NOT NULL`,
      )
    ).map(({id}) => id);
  const args = ['jobs:kill', '--all-matching', '--running', '--yes', '--json'];
  const run = startAtomctl(args, {env: site.env});
  await until(async () => (await marked()).length > 0);
  const {code, stdout} = await crashUnder(run);
  const {killed} = JSON.parse(stdout) as {killed: {id: number; action: string; message: string}[]};
  const told = killed.filter(({action}) => action === 'marked').map(({id}) => id);
  const done = await marked();
  expect(code).toBe(1);
  expect(killed.map(({id}) => id)).toEqual(ids);
  expect(done).toEqual(expect.arrayContaining(told));
  // One transaction may be committed, and the server died before it could say so.
  expect(done.length - told.length).toBeLessThanOrEqual(100);
  expect(done.length).toBeLessThan(ids.length);
  for (const {action, message} of killed) {
    if (action === 'refused')
      expect(message).toMatch(/could not be changed: .* Run the same command again to complete this\.$/);
  }
  expect(await site.remnants()).toBe(0);

  const second = await runAtomctl(args, {env: site.env});
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout).killed).toHaveLength(ids.length - done.length);
  expect((await marked()).toSorted((a, b) => a - b)).toEqual(ids);
});
