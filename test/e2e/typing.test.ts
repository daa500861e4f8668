/** What people type who use gh, kubectl, systemctl and journalctl every day. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {type AtomSite, createSite, runAtomctl} from '../support/sandbox.ts';

let site: AtomSite;

const daysAgo = (days: number) =>
  new Date(Date.now() - days * 86_400_000).toLocaleString('sv-SE', {timeZone: 'America/Vancouver'});

beforeAll(async () => {
  site = await createSite();
  await site.insertJob({name: 'CSV export', userId: 449, startedAt: daysAgo(40)});
  await site.insertJob({name: 'arFileImportJob', status: 'error', startedAt: daysAgo(8)});
  await site.insertJob({name: 'arFindingAidJob', startedAt: daysAgo(0.001)});
});

afterAll(() => site?.drop());

const atomctl = (...args: string[]) => runAtomctl(args, {env: site.env});

/** The names of the jobs that are listed, and what stderr says. */
async function named(...args: string[]): Promise<{names: string; stderr: string}> {
  const {code, stdout, stderr} = await atomctl('jobs:list', '--json', '--no-live', ...args);
  const names = code === 0 ? JSON.parse(stdout).jobs.map(({name}: {name: string}) => name) : [`exit ${code}`];
  return {names: names.join(', '), stderr};
}

test('D2: -h, -V and -n work, and -h and -V on every command', async () => {
  const [help, long, first, version, other, three] = await fewAtATime(
    [
      ['jobs:list', '-h'],
      ['jobs:list', '--help'],
      ['-h', 'jobs', 'list'],
      ['-V'],
      ['worker', 'run', '-V'],
      ['-h'],
    ],
    (args) => runAtomctl(args),
  );
  expect(help).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('-n, --limit N')});
  expect([long, first]).toEqual([help, help]);
  expect(version).toMatchObject({code: 0, stdout: expect.stringMatching(/^atomctl\/\d/)});
  expect(other).toEqual(version);
  expect(three!.stdout).toContain('doctor');
  expect((await named('-n', '2')).names).toBe('arFindingAidJob, arFileImportJob');
  expect((await named('-n1', '--sort', '-name')).names).toBe('CSV export');
});

test('D3: --since and --until take an age, today, yesterday, a month', async () => {
  const month = daysAgo(40).slice(0, 7);
  const cases: [string, string[]][] = [
    ['arFindingAidJob, arFileImportJob', ['--since', '30d']],
    ['arFindingAidJob', ['--since', '7d']],
    ['arFindingAidJob', ['--since', '2h ago']],
    ['arFileImportJob, CSV export', ['--until', 'yesterday']],
    ['arFindingAidJob', ['--since', 'yesterday', '--until', 'now']],
    ['arFileImportJob, CSV export', ['--until', '2 hours ago']],
    ['', ['--until', month]],
    ['exit 2', ['--since', 'last week']],
  ];
  const seen = await fewAtATime(cases, async ([, args]) => (await named(...args)).names);
  expect(seen.map((names, index) => [names, cases[index]![1]])).toEqual(cases);
  expect((await named('--since', month)).names).toMatch(/CSV export$/);
});

test('D4: names and users match in upper and lower case; if nothing matches, what there is is listed', async () => {
  const cases: [string, string[]][] = [
    ['CSV export', ['--name', '*Export*']],
    ['arFileImportJob', ['--name', 'fileimport']],
    ['arFileImportJob, CSV export', ['--name', 'csv EXPORT,arfileimportjob']],
    ['arFindingAidJob, arFileImportJob', ['--user', 'ADMIN']],
    ['CSV export', ['--user', 'Marie']],
  ];
  const seen = await fewAtATime(cases, async ([, args]) => named(...args));
  expect(seen).toEqual(cases.map(([names]) => ({names, stderr: ''})));
  const [name, user, quiet] = await fewAtATime(
    [
      ['--name', 'improt'],
      ['--user', 'mary'],
      ['--name', 'improt', '-q'],
    ],
    (args) => named(...args),
  );
  expect(name).toEqual({
    names: '',
    stderr:
      'No job has the name "improt" or has this text in its name. Names: arFileImportJob, arFindingAidJob, CSV export.\n',
  });
  expect(user!.stderr).toBe('Unknown user "mary". Users with jobs: admin, marie.\n');
  expect(quiet).toEqual({names: '', stderr: ''});
});

test('D4: a command that changes something says if a name is only a part of names', async () => {
  const {stdout, stderr} = await atomctl(
    'jobs:clear',
    '--dry-run',
    '--name',
    'import',
    '--json',
    '--keep-queue',
  );
  expect(JSON.parse(stdout)).toMatchObject({cleared: 1});
  expect(stderr).toContain('No job is named "import"; showing jobs with this text in their name.\n');
});

test('D10: a mistyped command, flag or value comes with the right one', async () => {
  const cases: [string[], RegExp][] = [
    [['kill'], /^Error: Unknown command "kill"\. Did you mean jobs:kill\?\n$/],
    [['status'], /Did you mean queue:status or worker:status\?/],
    [['jobs', 'rm'], /Unknown command "jobs:rm"\. Did you mean jobs:clear or jobs:kill\?/],
    [['help', 'list'], /Did you mean jobs:list\?/],
    [['jobs:list', '--runing'], /^Error: Unknown flag: --runing\. Did you mean --running\?\n$/],
    [['jobs:list', '--status', 'complete'], /Did you mean completed\?/],
    [
      ['jobs:list', '--columns', 'id,nmae'],
      /"nmae" \(--columns\) is not a valid column\. Did you mean name\?/,
    ],
    [['jobs:list', '--sort', '-strated'], /Did you mean started\?/],
    [['doctor', '--check', 'lost-job'], /Did you mean lost-jobs\?/],
    [['jobs:list', '-f'], /Unknown flag: -f\. Did you mean --watch\?/],
    [['jobs:list', '-o', 'json'], /Unknown flag: -o\. Did you mean --json\?/],
    [['--foo'], /Unknown flag "--foo"/],
    [['completion', 'bsh'], /Did you mean bash or zsh\?/],
  ];
  const answers = await fewAtATime(cases, ([args]) => runAtomctl(args));
  for (const [index, [args, message]] of cases.entries()) {
    expect([args, answers[index]!.code, answers[index]!.stdout]).toEqual([args, 2, '']);
    expect(answers[index]!.stderr).toMatch(message);
  }
});

test('D10: failed is the status error', async () => {
  expect((await named('--status', 'failed')).names).toBe('arFileImportJob');
});

test('D17: lists take commas and repetition', async () => {
  const ids = (await site.query<{id: number}>('SELECT id FROM job ORDER BY id')).map(({id}) => id);
  const cases: [string, string[]][] = [
    ['arFindingAidJob, arFileImportJob, CSV export', ['--status', 'completed,failed']],
    ['arFindingAidJob, arFileImportJob, CSV export', ['--user', 'marie,admin']],
    ['arFindingAidJob, CSV export', ['--id', `${ids[0]},${ids[2]}`]],
    ['arFindingAidJob, CSV export', ['--id', `${ids[0]}`, '--id', `${ids[2]}`]],
    ['exit 2', ['--status', 'running,broken']],
  ];
  const seen = await fewAtATime(cases, async ([, args]) => (await named(...args)).names);
  expect(seen.map((names, index) => [names, cases[index]![1]])).toEqual(cases);
  const [waited, checks, columns] = await fewAtATime(
    [
      ['jobs:wait', `${ids[0]},${ids[2]}`, `${ids[1]},`, '--json'],
      ['doctor', '--check', 'database,orphans', '--json'],
      ['jobs:list', '--csv', '--columns', 'id', '--columns', 'name,user', '--id', `${ids[0]}`],
    ],
    (args) => atomctl(...args),
  );
  expect(JSON.parse(waited!.stdout).jobs).toHaveLength(3);
  expect(JSON.parse(checks!.stdout).findings.map(({id}: {id: string}) => id)).toEqual([
    'database',
    'orphans',
  ]);
  expect(columns!.stdout).toBe(`id,name,user\n${ids[0]},CSV export,marie\n`);
});

test("D11: help shows a command's own flags first, and the filters and the site's flags in short", async () => {
  const [short, whole] = await fewAtATime([['-h'], ['--help-all']], (args) =>
    runAtomctl(['jobs:kill', ...args]),
  );
  const headings = ({stdout}: {stdout: string}) => stdout.match(/^[A-Z ]*FLAGS$/gm);
  expect(headings(short!)).toEqual(['FLAGS', 'OTHER FLAGS']);
  expect(short!.stdout).toMatch(
    /OTHER FLAGS\n {2}unit +--unit,.*\n {2}filter +--status,[\s\S]*\n {2}site +--atom-root,/,
  );
  expect(headings(whole!)).toEqual(['FLAGS', 'UNIT FLAGS', 'FILTER FLAGS', 'SITE FLAGS', 'GLOBAL FLAGS']);
});
