/** Types into real shells and checks what they run. */
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {SHELLS, typeIntoShell} from '../support/atomctl/shells.ts';
import {installed} from '../support/installed.ts';
import {ATOMCTL, type AtomSite, createScratch, createSite, runAtomctl} from '../support/sandbox.ts';

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
  await site.insertJob({status: 'completed'});
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
  writeFileSync(join(scratch, 'out-of-here.csv'), '');
});

afterAll(() => site?.drop());

/** The lines that a shell ran. */
async function typeInto(run: string, lines: readonly string[]): Promise<string[]> {
  const screen = await typeIntoShell(run, lines, {directory: scratch, env: site.env});
  return screen.match(/(?:<[^<>\r\n]*>)+(?=\r?\n)/g) ?? [];
}

test.for(SHELLS)('$shell', async ({shell, run, setUp}, {skip}) => {
  skip(!installed(shell), `${shell} is not installed`);
  const ran = await typeInto(run, [
    setUp,
    'atomctl jobs:sta\t',
    'atomctl jobs k\t \t --reas\tx',
    'atomctl jobs:list --sta\tco\t --no-t\t',
    'atomctl jobs:list --status=err\t',
    'atomctl jobs:list --columns id,nam\t',
    'atomctl jobs:export-csv --output out-\t',
    'atomctl --si\tsou\t config',
    'exit',
  ]);
  expect(ran).toEqual([
    '<jobs:stats>',
    `<jobs><kill><${job}><--reason><x>`,
    '<jobs:list><--status><completed><--no-truncate>',
    '<jobs:list><--status=error>',
    '<jobs:list><--columns><id,name>',
    '<jobs:export-csv><--output><out-of-here.csv>',
    '<--site><southern><config>',
  ]);
});

test('without a database the shell offers nothing and prints no message', async () => {
  const answer = await runAtomctl([
    'completion:answer',
    '--',
    '--database-url',
    'mysql://127.0.0.1:9/x',
    'jobs:kill',
    '',
  ]);
  expect(answer).toEqual({code: 1, stdout: '', stderr: ''});
});

test.each([
  [['completion'], 'The argument shell (bash|zsh|fish) is missing.'],
  [['completion', 'tcsh'], 'Expected tcsh to be one of: bash, zsh, fish.'],
  [['completion', 'bash', 'zsh'], 'Unexpected argument: zsh.'],
  [['help', 'jobs:list', 'jobs:kill'], 'Unexpected argument: jobs:kill.'],
])('%j is a usage error of one sentence', async (args, sentence) => {
  expect(await runAtomctl(args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `Error: ${sentence} Run the command with --help to see what it takes.\n`,
  });
});
