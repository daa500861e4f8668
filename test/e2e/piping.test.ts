/** What other programs read: awk, xargs, sort, a spreadsheet, jq. */
import {execFileSync} from 'node:child_process';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {
  ATOMCTL,
  type AtomSite,
  cleanEnvironment,
  createSite,
  runAtomctl,
  runOnTerminal,
} from '../support/sandbox.ts';

let site: AtomSite;
let ids: number[];

beforeAll(async () => {
  site = await createSite();
  ids = [
    await site.insertJob({
      name: 'a,b "c"\td',
      startedAt: '2026-03-04 10:00:00',
      finishedAt: '2026-03-04 10:06:31',
      downloadPath: 'downloads/jobs/a.zip',
      notes: [{text: '=1+1'}],
    }),
    await site.insertJob({
      name: 'arFileImportJob',
      status: 'error',
      userId: 449,
      startedAt: '2026-03-05 10:00:00',
    }),
    await site.insertJob({name: 'arObjectMoveJob', status: 'running', startedAt: '2026-03-06 10:00:00'}),
  ];
});

afterAll(() => site?.drop());

const list = (...args: string[]) => runAtomctl(['jobs:list', '--no-live', ...args], {env: site.env});

test('D5: awk sees the jobs and nothing else', () => {
  const script = `"$@" jobs:list --no-live --completed | awk 'NR>1{print $1}'`;
  const env = cleanEnvironment(site.env);
  expect(execFileSync('sh', ['-c', `${script} 2>/dev/null`, 'sh', ...ATOMCTL], {env, encoding: 'utf8'})).toBe(
    `${ids[0]}\n`,
  );
});

test('D5: --ids has the ids, one per line, in the order of the list', async () => {
  const [newest, named, none] = await fewAtATime(
    [['--ids'], ['--ids', '--sort', 'name', '-n', '2'], ['--ids', '--name', 'arFileImportJob', '--running']],
    (args) => list(...args),
  );
  expect(newest).toEqual({code: 0, stdout: `${ids.toReversed().join('\n')}\n`, stderr: ''});
  expect(named).toEqual({code: 0, stdout: `${ids[0]}\n${ids[1]}\n`, stderr: ''});
  expect(none).toEqual({code: 0, stdout: '', stderr: ''});
});

test('D5: a page that is not all is said on stderr, unless its length was given', async () => {
  const many = await createSite();
  await many.seedJobs(60);
  const run = (...args: string[]) => runAtomctl(['jobs:list', '--no-live', ...args], {env: many.env});
  const [page, all, given, quiet] = await fewAtATime(
    [['--ids'], ['--ids', '--all'], ['--ids', '-n', '5'], ['--tsv', '-q']],
    (args) => run(...args),
  );
  expect(page!.stdout.split('\n')).toHaveLength(51);
  expect(page!.stderr).toBe('50 of 60 jobs shown: 54 completed, 6 error.\n');
  expect(all!.stdout.split('\n')).toHaveLength(61);
  expect([all!.stderr, given!.stderr, quiet!.stderr]).toEqual(['', '', '']);
  await many.drop();
});

test('D6: durations are seconds in CSV, TSV and JSON', async () => {
  const columns = ['--columns', 'id,name,duration,info,download,user', '--until', '2026-03-06'];
  const [csv, tsv, bare, jsonl] = await fewAtATime(
    [['--csv', ...columns], ['--tsv', ...columns], ['--tsv', '--no-header', ...columns], ['--jsonl']],
    (args) => list(...args),
  );
  expect(csv!.stdout).toBe(
    'id,name,duration,info,download,user\n' +
      `${ids[1]},arFileImportJob,0,,,marie\n` +
      `${ids[0]},"a,b ""c""\td",391,'=1+1,downloads/jobs/a.zip,admin\n`,
  );
  const rows = [
    `${ids[1]}\tarFileImportJob\t0\t\t\tmarie\n`,
    `${ids[0]}\ta,b "c" d\t391\t'=1+1\tdownloads/jobs/a.zip\tadmin\n`,
  ].join('');
  expect(tsv!.stdout).toBe(`id\tname\tduration\tinfo\tdownload\tuser\n${rows}`);
  expect(bare!.stdout).toBe(rows);
  const jobs = jsonl!.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(jobs.map(({id}) => id)).toEqual(ids.toReversed());
  expect(jobs.map(({durationSeconds}) => durationSeconds)).toEqual([expect.any(Number), 0, 391]);
});

test('--no-header leaves out the names of the columns, on a terminal too', async () => {
  const args = ['--no-header', '--completed', '--columns', 'id,name'];
  const [csv, table] = await Promise.all([list('--csv', ...args), list(...args)]);
  expect(csv.stdout).toBe(`${ids[0]},"a,b ""c""\td"\n`);
  expect(table.stdout).toBe(`${ids[0]}  a,b "c" d\n`);
  const {screen} = await runOnTerminal(['jobs:list', '--no-live', ...args], {env: site.env});
  expect(screen).not.toContain('NAME');
  expect(screen).toContain('1 of 1 job shown: 1 completed.');
});

test('formats exclude each other, and a list without the column live asks no Gearman server', async () => {
  const cases = [
    ['--csv', '--json'],
    ['--jsonl', '--ids'],
    ['--tsv', '--watch'],
    ['--ids', '--columns', 'id'],
  ];
  const refused = await fewAtATime(cases, (args) => list(...args));
  expect(refused.map(({code}) => code)).toEqual([2, 2, 2, 2]);
  const args = ['jobs:list', '--running', '--timeout', '1'];
  const [quietly, asked] = await Promise.all([
    runAtomctl([...args, '--csv', '--columns', 'id,status'], {env: site.env}),
    runAtomctl([...args, '--csv', '--columns', 'id,live'], {env: site.env}),
  ]);
  expect(quietly).toEqual({code: 0, stdout: `id,status\n${ids[2]},running\n`, stderr: ''});
  expect(asked.stderr).toContain('The live state is not certain');
});

test('a closed pipe ends it quietly', () => {
  const script = `"$@" jobs:list --no-live --jsonl --all | head -n 1`;
  const env = cleanEnvironment(site.env);
  const line = execFileSync('sh', ['-c', `${script} 2>&1`, 'sh', ...ATOMCTL], {env, encoding: 'utf8'});
  expect(JSON.parse(line).id).toBe(ids[2]);
});
