import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  startAtomctl,
  startGearmand,
  until,
} from '../support/sandbox.ts';
import {startStallingProxy} from '../support/servers/stalling-proxy.ts';

const ROUNDS = 20;
const JOBS = 600;
const CLEAR = ['jobs:clear', '--yes', '--json', '--batch-size', '10'];

let gearmand: GearmanProcess;
let sites: AtomSite[];

beforeAll(async () => {
  gearmand = await startGearmand();
  const options = {gearman: [gearmand.endpoint]};
  sites = await Promise.all([createSite(options), createSite(options)]);
});

afterAll(async () => {
  await Promise.all(sites.map((site) => site.drop()));
  await gearmand?.kill();
});

async function count(site: AtomSite): Promise<{jobs: number; objects: number}> {
  const [row] = await site.query<{jobs: number; objects: number}>(
    "SELECT (SELECT COUNT(*) FROM job) AS jobs, COUNT(*) AS objects FROM object WHERE class_name = 'QubitJob'",
  );
  return row!;
}

/** When a clear gets its signal: once so many jobs are left, and a little later. */
interface Moment {
  left: number;
  laterMs: number;
  signal: NodeJS.Signals;
}

/** @returns how many jobs the interrupted clear left */
async function interruptAt(site: AtomSite, moment: Moment): Promise<number> {
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  await site.seedJobs(JOBS);
  const run = startAtomctl(CLEAR, {env: site.env});
  await until(async () => (await count(site)).jobs <= moment.left);
  await sleep(moment.laterMs);
  run.child.kill(moment.signal);
  const {code, stdout, stderr} = await run.ended;
  const {jobs, objects} = await count(site);
  const cleared = stdout === '' ? 0 : JSON.parse(stdout).cleared;
  const told = JSON.stringify(moment);
  const notice = expect.stringMatching(/^(Interrupted: atomctl ends after [^\n]*\n)?$/);
  expect([cleared, objects, stderr], `${told} ${code}`).toEqual([JOBS - jobs, jobs, notice]);
  // Before the clear begins a signal just ends the process; and so it does while Node exits, after everything was printed.
  if (jobs === 0) expect([0, 130, null], told).toContain(code);
  else expect(code, told).toBe(stdout === '' ? null : 130);
  return jobs;
}

/** Some before anything is gone, some around the end, the others between. */
function randomMoment(round: number): Moment {
  const signal = round % 2 === 0 ? 'SIGINT' : 'SIGTERM';
  if (round < 4) return {signal, left: JOBS, laterMs: 400 * Math.random()};
  if (round < 8) return {signal, left: 0, laterMs: 40 * Math.random()};
  return {signal, left: Math.floor(JOBS * Math.random()), laterMs: 20 * Math.random()};
}

test('SIGINT and SIGTERM at any moment of a clear: what it says is gone is gone, and no more', async () => {
  const moments = Array.from({length: ROUNDS}, (_, round) => randomMoment(round));
  const left: number[] = [];
  await Promise.all(
    sites.map(async (site) => {
      for (let moment = moments.pop(); moment; moment = moments.pop())
        left.push(await interruptAt(site, moment));
    }),
  );
  expect(left.some((jobs) => jobs > 0 && jobs < JOBS)).toBe(true);
});

test.each([
  ['jobs:export-csv', '--output'],
  ['jobs:clear', '--yes', '--export'],
])('SIGTERM while %s writes a file: nothing is left of it, and no job is gone', async (...args) => {
  const [site] = sites as [AtomSite];
  await site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  await site.seedJobs(9000);
  const proxy = await startStallingProxy(site.config.port, {stallAfter: 400_000});
  onTestFinished(() => proxy.close());
  const url = site.databaseUrl.replace(`:${site.config.port}/`, `:${proxy.port}/`);
  const directory = createScratch('interrupted');
  const command = [...args, join(directory, 'jobs.csv')];
  const run = startAtomctl(command, {env: {...site.env, ATOMCTL_DATABASE_URL: url}});
  await until(() => proxy.received() >= 400_000 && readdirSync(directory).length === 1);
  run.child.kill('SIGTERM');
  await sleep(100);
  proxy.resume();
  const {code, stdout, stderr} = await run.ended;
  expect([code, stdout, stderr]).toEqual([
    130,
    '',
    expect.stringMatching(/^(Interrupted: atomctl ends after [^\n]*\n)?Error: Interrupted while [^\n]*\n$/),
  ]);
  expect(readdirSync(directory)).toEqual([]);
  expect(await count(site)).toEqual({jobs: 9000, objects: 9000});
});
