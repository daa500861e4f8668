/** Types into real shells and checks what they run. */
import {once} from 'node:events';
import {chmodSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {SHELLS, typeIntoShell} from '../support/atomctl/shells.ts';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {installed} from '../support/installed.ts';
import {
  ATOMCTL,
  type AtomSite,
  createScratch,
  createSite,
  runAtomctl,
  startGearmand,
  submitJob,
} from '../support/sandbox.ts';

let site: AtomSite;
let scratch: string;
let job: number;

/** Answers completion as atomctl does, and prints the arguments of any other call. */
const SHIM = `#!/bin/sh
case $1 in
  completion*) exec ${ATOMCTL.join(' ')} "$@" ;;
esac
printf '<%s>' "$@"
echo
`;

beforeAll(async () => {
  site = await createSite();
  await site.insertJob({status: 'completed', name: 'CSV export'});
  await site.insertJob({status: 'error', name: HOSTILE_NAME, userId: 449});
  job = await site.insertJob({status: 'running'});
  scratch = createScratch('completion');
  mkdirSync(join(scratch, 'bin'));
  writeFileSync(join(scratch, 'bin/atomctl'), SHIM);
  chmodSync(join(scratch, 'bin/atomctl'), 0o755);
  mkdirSync(join(scratch, 'atomctl'));
  writeFileSync(
    join(scratch, 'atomctl/config.yml'),
    `sites:\n  northern: {root: ${site.root}}\n  southern: {root: ${site.root}}\n`,
  );
  writeFileSync(join(scratch, 'out-of here.csv'), '');
});

afterAll(() => site?.drop());

const HOSTILE_NAME = `it's "$(touch owned)" \`touch owned\``;

/** The lines that a shell ran. */
async function typeInto(run: string, lines: readonly string[]): Promise<string[]> {
  const screen = await typeIntoShell(run, lines, {directory: scratch, env: site.env});
  return screen.match(/(?:<[^<>\r\n]*>)+(?=\r?\n)/g) ?? [];
}

test.for(SHELLS)(
  'D14: $shell completes commands, flags and values, and quotes them',
  async ({shell, run, setUp}, {skip}) => {
    skip(!installed(shell), `${shell} is not installed`);
    const typed: [string, string][] = [
      ['atomctl jobs:sta\t', '<jobs:stats>'],
      ['atomctl jobs k\t \t --reas\tx', `<jobs><kill><${job}><--reason><x>`],
      ['atomctl jobs:list --sta\tco\t --no-t\t', '<jobs:list><--status><completed><--no-truncate>'],
      ['atomctl jobs:list --status running,er\t', '<jobs:list><--status><running,error>'],
      ['atomctl jobs:list --columns id,nam\t', '<jobs:list><--columns><id,name>'],
      ['atomctl jobs:list --name CSV\t', '<jobs:list><--name><CSV export>'],
      ["atomctl jobs:list --name 'CSV e\t", '<jobs:list><--name><CSV export>'],
      ['atomctl jobs:list --name="CSV e\t', '<jobs:list><--name=CSV export>'],
      ['atomctl jobs:list --name it\t', `<jobs:list><--name><${HOSTILE_NAME}>`],
      ['atomctl jobs:list --user admin,mar\t', '<jobs:list><--user><admin,marie>'],
      ['atomctl jobs:export-csv --output out-\t', '<jobs:export-csv><--output><out-of here.csv>'],
      ['atomctl --si\tsou\t config', '<--site><southern><config>'],
      ['atomctl config --timezone Europe/Vie\t', '<config><--timezone><Europe/Vienna>'],
      ['atomctl help exi\t', '<help><exit-codes>'],
    ];
    const ran = await typeInto(run, [setUp, ...typed.map(([line]) => line), 'exit']);
    expect(ran).toEqual(typed.map(([, words]) => words));
    expect(readdirSync(scratch)).not.toContain('owned');
  },
);

async function offered(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string[]> {
  const {code, stdout, stderr} = await runAtomctl(['completion:answer', '--', ...words], {env});
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return stdout.trimEnd().split('\n').slice(1);
}

test('the ids are those of the jobs that the command can act on', async () => {
  const {endpoint} = await startGearmand();
  const own = await createSite({gearman: [endpoint]});
  try {
    const ended = await own.insertJob({status: 'error'});
    const lost = await own.insertJob({status: 'running', name: 'arObjectMoveJob'});
    const finished = await own.insertJob({status: 'running', name: 'arInheritRightsJob'});
    const log = ['Job started.', 'Job finished.'].map(
      (message) => `[info] [2026-03-04 13:06:00] Job ${finished} "arInheritRightsJob": ${message}\n`,
    );
    await own.query('UPDATE job SET output = ? WHERE id = ?', [log.join(''), finished]);
    const {id: queued} = await submitJob(own);
    const cases: [string[], number[]][] = [
      [
        ['jobs:kill', ''],
        [queued, lost],
      ],
      [
        ['jobs:kill', '--force', ''],
        [queued, finished, lost, ended],
      ],
      [['jobs:kill', `${lost}`, ''], [queued]],
      [
        ['jobs', 'retry', ''],
        [lost, ended],
      ],
      [
        ['jobs:mark', ''],
        [finished, lost, ended],
      ],
      [
        ['jobs:wait', ''],
        [queued, finished, lost],
      ],
      [
        ['jobs:show', ''],
        [queued, finished, lost, ended],
      ],
      [
        ['jobs:list', '--id', `${lost},`],
        [queued, finished, ended],
      ],
    ];
    const answers = await fewAtATime(cases, ([words]) => offered(words, own.env));
    const ids = answers.map((lines) => lines.map((line) => Number(/\d+(?=\t)/.exec(line)![0])));
    expect(ids.map((found, index) => [cases[index]![0], found])).toEqual(
      cases.map(([words, wanted]) => [words, wanted]),
    );
    expect(answers[0]![1]).toBe(`${lost}\tarObjectMoveJob (running)`);
    // Without Gearman no running job is known to be lost.
    const alone = {...own.env, ATOMCTL_GEARMAN: '127.0.0.1:9'};
    expect(await offered(['jobs:retry', ''], alone)).toEqual([`${ended}\tarFindingAidJob (error)`]);
  } finally {
    await own.drop();
  }
});

test.each([
  [['--database-url', 'mysql://u@127.0.0.1:9/x', 'jobs:kill', ''], ''],
  [['--config', '/nowhere', '--site', ''], ''],
  [['--config', '/nowhere', 'jobs:list', '--user', ''], ''],
  [['--database-url', 'mysql://u@127.0.0.1:9/x', 'jobs:list', '--name', 'CSV'], 'CSV export'],
])(
  'if the servers do not answer, %j completes what is known without them, and prints no message',
  async (words, expected) => {
    expect((await offered(words, {})).join()).toBe(expected);
  },
);

test('a database that accepts and then says nothing does not block the shell', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const {port} = silent.address() as AddressInfo;
  expect(await offered(['--database-url', `mysql://u@127.0.0.1:${port}/x`, 'jobs:kill', ''], {})).toEqual([]);
  silent.close();
});

test.each([
  [['completion'], 'The argument shell (bash|zsh|fish) is missing.'],
  [['completion', 'bash', 'zsh'], 'Unexpected argument: zsh.'],
  [['help', 'jobs:list', 'jobs:kill'], 'Unexpected argument: jobs:kill.'],
])('%j is a usage error of one sentence', async (args, sentence) => {
  expect(await runAtomctl(args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `Error: ${sentence} To see its arguments and flags: atomctl ${args[0]} --help\n`,
  });
});
