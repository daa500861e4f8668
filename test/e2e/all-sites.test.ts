/** Several sites of one configuration file, asked at once. */
import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {ALL_SITES_COMMANDS} from '../../src/cli/site/all-sites.ts';
import {COMMANDS} from '../../src/cli/start/command-table.ts';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {
  ATOM_PASSWORD,
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  runAtomctl,
  runOnTerminal,
  startGearmand,
  startWorker,
  type WorkerProcess,
} from '../support/sandbox.ts';

let gearmand: GearmanProcess;
let worker: WorkerProcess;
let north: AtomSite;
let south: AtomSite;
let config: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  const options = {gearman: [gearmand.endpoint], workerTypes: {general: ['arFindingAidJob']}};
  [north, south] = await Promise.all([createSite(options), createSite(options)]);
  worker = await startWorker(north);
  await north.insertJob({name: 'northern', startedAt: '2026-03-04 23:30:00'});
  await south.insertJob({name: 'southern', startedAt: '2026-03-04 23:30:00'});
  config = join(createScratch('sites'), 'config.yml');
  writeFileSync(
    config,
    `sites:
  north:
    root: ${north.root}
  lost:
    root: ${south.root}
    database: mysql://nobody:hidden-secret@127.0.0.1:9/atom
    gearman: 127.0.0.1:9
  south:
    root: ${south.root}
    timezone: Pacific/Auckland
`,
  );
  chmodSync(config, 0o600);
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([gearmand?.kill(), north?.drop(), south?.drop()]);
});

const atomctl = (...args: string[]) => runAtomctl([...args, '--config', config]);

test('the results are listed by site, in the order of the file, with failures among them', async () => {
  const [list, stats, queue, doctor] = await fewAtATime(
    [
      ['jobs:list', '--all-sites'],
      ['jobs:stats', '--all-sites'],
      ['queue:status', '--all-sites', '--no-database'],
      ['doctor', '--all-sites', '--check', 'database'],
    ],
    (args) => atomctl(...args, '--json'),
  );
  const sitesOf = ({stdout}: {stdout: string}) => JSON.parse(stdout).sites;
  for (const answer of [list!, stats!, queue!, doctor!]) {
    expect(sitesOf(answer).map(({site}: {site: string}) => site)).toEqual(['north', 'lost', 'south']);
    expect(answer.stdout + answer.stderr).not.toMatch(new RegExp(`hidden-secret|${ATOM_PASSWORD}`));
  }
  const unreachable = {exitStatus: 3, result: null, error: {code: 'DATABASE_UNREACHABLE'}};
  const listed = (name: string, startedAt: string) => ({
    exitStatus: 0,
    error: null,
    result: {total: 1, jobs: [{name, startedAt}]},
  });
  expect(sitesOf(list!)).toMatchObject([
    listed('northern', '2026-03-04T23:30:00-08:00'),
    unreachable,
    listed('southern', '2026-03-04T23:30:00+13:00'),
  ]);
  expect(sitesOf(stats!)).toMatchObject([{result: {total: 1}}, unreachable, {result: {total: 1}}]);
  expect(sitesOf(queue!)).toMatchObject([
    {exitStatus: 0, result: {status: 'ok'}},
    {exitStatus: 3, result: {status: 'critical'}},
    {exitStatus: 1, result: {status: 'critical'}},
  ]);
  expect(sitesOf(doctor!)).toMatchObject([
    {exitStatus: 0, result: {status: 'ok'}},
    {exitStatus: 1, result: {status: 'critical'}},
    {exitStatus: 0},
  ]);
  expect([list, stats, queue, doctor].map((answer) => answer!.code)).toEqual([3, 3, 3, 1]);
});

test('text has a heading for each site, labelled errors on stderr, and the worst exit status', async () => {
  const {code, stdout, stderr} = await atomctl('jobs:list', '--all-sites', '--quiet');
  expect(code).toBe(3);
  expect(stdout).toMatch(/^== north ==\n.*\n.*northern.*\n\n== south ==\n.*\n.*southern/);
  expect(stderr).toMatch(/^Error: lost: No MySQL server listens[^\n]+\n$/);
  const narrow = await atomctl('jobs:list', '--all-sites', '--since', '2026-03-04T12:00:00Z');
  expect(narrow.stderr).toMatch(/^north: 1 of 1 job shown: .*\nsouth: No jobs\.$/m);
  expect(narrow.stdout).toMatch(/northern/);
  expect(narrow.stdout).not.toMatch(/southern/);
});

test('D18: one flag, on the commands of the list; every other refuses it with a sentence', async () => {
  const known = Object.keys(COMMANDS).filter((id) => !['completion:answer', 'man'].includes(id));
  const refused = known.filter((id) => !ALL_SITES_COMMANDS.includes(id));
  const answers = await fewAtATime(refused, (id) => runAtomctl([id, '--all-sites']));
  for (const [index, id] of refused.entries()) {
    expect([id, answers[index]!.code, answers[index]!.stdout]).toEqual([id, 2, '']);
    expect(answers[index]!.stderr).toMatch(
      new RegExp(
        `^Error: ${id} works on one site and does not support --all-sites\\. Choose the site with --site NAME\\.`,
      ),
    );
  }
  for (const id of ALL_SITES_COMMANDS)
    expect([id, Object.keys((await COMMANDS[id]!()).default.flags)]).toEqual([
      id,
      expect.arrayContaining(['all-sites']),
    ]);
});

test('D18: queue:workers, worker:status, config and an export ask every site, also with the flag before the command', async () => {
  const [workers, status, settings] = await fewAtATime(['queue:workers', 'worker:status', 'config'], (id) =>
    atomctl('--all-sites', id, '--json'),
  );
  for (const answer of [workers!, status!, settings!])
    expect(JSON.parse(answer.stdout).sites.map(({site}: {site: string}) => site)).toEqual([
      'north',
      'lost',
      'south',
    ]);
  expect(JSON.parse(workers!.stdout).sites[0].result.workers).toHaveLength(1);
  expect(JSON.parse(settings!.stdout).sites[2].result.timezone.value).toBe('Pacific/Auckland');
  expect([workers!.code, settings!.code]).toEqual([3, 0]);
});

test('D18: the CSV of all sites has a column site; a file is not written if a site fails', async () => {
  const csv = await atomctl('jobs:export-csv', '--all-sites', '--columns', 'name,started');
  expect([csv.code, csv.stdout]).toEqual([
    3,
    'site,name,started\nnorth,northern,2026-03-04 23:30:00\nsouth,southern,2026-03-04 23:30:00\n',
  ]);
  expect(csv.stderr).toMatch(/^Error: lost: No MySQL server listens[^\n]+\n$/);
  const [table, lines] = await Promise.all([
    atomctl('jobs:list', '--all-sites', '--csv', '--columns', 'name'),
    atomctl('jobs:list', '--all-sites', '--jsonl'),
  ]);
  expect([table.code, table.stdout]).toEqual([3, 'site,name\nnorth,northern\nsouth,southern\n']);
  expect(
    lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    {site: 'north', name: 'northern'},
    {site: 'south', name: 'southern'},
  ]);
  const file = join(createScratch('sites'), 'all.csv');
  const whole = await atomctl('jobs:export-csv', '--all-sites', '--output', file);
  expect([whole.code, whole.stderr]).toEqual([3, expect.stringMatching(/^Error: lost: No MySQL server/)]);
  expect(existsSync(file)).toBe(false);
});

test('settings of one site cannot be combined with all sites', async () => {
  const cases: [args: string[], env: Record<string, string>, message: RegExp][] = [
    [['--site', 'north'], {}, /--site is about one site/],
    [['--gearman', 'x'], {}, /--gearman is about one site/],
    [[], {ATOMCTL_DATABASE_URL: south.databaseUrl}, /ATOMCTL_DATABASE_URL is about one site/],
    [[], {ATOM_MYSQL_DSN: 'mysql:host=x'}, /ATOM_MYSQL_DSN is about one site/],
    [['--watch'], {}, /--watch/],
  ];
  const results = await fewAtATime(cases, ([args, env]) =>
    runAtomctl(['jobs:list', '--all-sites', '--config', config, ...args], {env}),
  );
  for (const [index, [args, , message]] of cases.entries()) {
    expect([args, results[index]!.code, results[index]!.stdout]).toEqual([args, 2, '']);
    expect(results[index]!.stderr).toMatch(message);
  }
  const overridden = await runAtomctl(['jobs:stats', '--all-sites', '--json', '--config', config], {
    env: {ATOMCTL_SITE: 'north'},
  });
  expect(JSON.parse(overridden.stdout).sites).toHaveLength(3);
});

test.each([
  'ATOMCTL_ROOT',
  'ATOMCTL_DATABASE_URL',
  'ATOMCTL_DEFAULTS_FILE',
  'ATOMCTL_GEARMAN',
  'ATOMCTL_FUNCTION_PREFIX',
  'ATOMCTL_TIMEZONE',
  'ATOM_MYSQL_DSN',
  'ATOM_MYSQL_USERNAME',
  'ATOM_MYSQL_PASSWORD',
  'ATOM_GEARMAND_HOST',
])('S13: --site beside %s is a usage error that names it, and nothing is touched', async (variable) => {
  const env = {[variable]: variable === 'ATOMCTL_ROOT' ? north.root : 'x'};
  const args = ['jobs:clear', '--yes', '--site', 'south', '--config', config];
  const {code, stdout, stderr} = await runAtomctl(args, {env});
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${variable} is set and describes a site, but --site south was given.`);
  expect(stderr).toContain(`Unset it with "unset ${variable}", or omit --site. Nothing was changed.`);
  for (const site of [north, south]) expect(await site.query('SELECT id FROM job')).toHaveLength(1);
});

test('S13: with variables that name a site or a configuration, --site decides', async () => {
  const env = {ATOMCTL_SITE: 'north', ATOMCTL_CONFIG: config};
  const {code, stdout} = await runAtomctl(['jobs:list', '--site', 'south'], {env});
  expect([code, stdout]).toEqual([0, expect.stringContaining('southern')]);
});

test('a configuration without sites is a usage error', async () => {
  const empty = join(createScratch('sites'), 'config.yml');
  writeFileSync(empty, 'sites: {}\n');
  const {code, stderr} = await runAtomctl(['doctor', '--all-sites', '--config', empty]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('has no site')]);
});

test('a named site labels its metrics', async () => {
  const {stdout} = await atomctl('jobs:stats', '--site', 'north', '--prometheus');
  expect(stdout).toContain('atom_jobs{site="north",name="northern",status="completed"} 1\n');
});

test("S13: every question and every change's record names the site and the database's host", async () => {
  const [job] = await north.query<{id: number}>('SELECT id FROM job');
  const again = await insertLogged(north);
  const log = join(createScratch('sites'), 'log');
  const where = `${north.databaseName} at ${north.config.host}:${north.config.port}`;
  const questions = [
    ['jobs:kill', String(job!.id), '--delete'],
    ['jobs:mark', String(job!.id), '--as', 'error'],
    ['jobs:retry', String(again)],
    ['jobs:clear', '--name', 'northern'],
  ];
  for (const args of questions) {
    const common = ['--site', 'north', '--config', config];
    const {code, screen} = await runOnTerminal([...args, ...common], {input: 'n\n', columns: 200});
    expect([args, code, screen]).toEqual([
      args,
      5,
      expect.stringContaining(`Site north (${north.root}), database ${where}.\n`),
    ]);
  }
  const mark = ['jobs:mark', String(job!.id), '--as', 'error', '--yes', '--force', '--audit-log', log];
  expect((await atomctl(...mark, '--site', 'north')).code).toBe(0);
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({site: 'north', database: where});
});
