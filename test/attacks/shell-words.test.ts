/** Names that a shell would run or expand, where the completion of a real shell shows them. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {installed} from '../support/installed.ts';
import {ATOMCTL, type AtomSite, cleanEnvironment, createScratch, createSite} from '../support/sandbox.ts';

let site: AtomSite;
let scratch: string;
let proof: string;
let job: number;

const SHELLS = [
  {shell: 'bash', run: 'bash --norc --noprofile -i', setUp: 'source <(atomctl completion bash)'},
  {
    shell: 'zsh',
    run: 'zsh -f -i',
    setUp: 'autoload -Uz compinit; compinit -u -D; source <(atomctl completion zsh)',
  },
  {shell: 'fish', run: 'fish --no-config -i', setUp: 'atomctl completion fish | source'},
];

/** Answers completion as atomctl does, and does nothing else. */
const SHIM = `#!/bin/sh
case $1 in
  completion*) exec ${process.execPath} ${ATOMCTL} "$@" ;;
esac
`;

beforeAll(async () => {
  site = await createSite();
  scratch = createScratch('shell-words');
  proof = join(scratch, 'proof-of-a-name');
  const run = `touch ${proof}`;
  for (const name of [`$(${run})`, `\`${run}\``, `x\n${run}\n`, `x\t$(${run}):y`, `'; ${run}; '`, '*'])
    job = await site.insertJob({name, status: 'running'});
  mkdirSync(join(scratch, 'bin'));
  writeFileSync(join(scratch, 'bin/atomctl'), SHIM);
  chmodSync(join(scratch, 'bin/atomctl'), 0o755);
  // Files that --output and --config complete to.
  for (const name of ['$(touch proof)', '`touch proof`', '; touch proof'])
    writeFileSync(join(scratch, name), '');
});

afterAll(() => site?.drop());

async function screenOf(child: ChildProcess): Promise<string> {
  let screen = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk) => {
    screen += chunk;
  });
  await once(child, 'close');
  return screen;
}

test.for(SHELLS)('$shell runs nothing of what it completes', async ({shell, run, setUp}, {skip}) => {
  skip(!installed(shell), `${shell} is not installed`);
  const child = spawn('script', ['-qec', run, '/dev/null'], {
    cwd: scratch,
    env: cleanEnvironment({
      ...site.env,
      PATH: `${join(scratch, 'bin')}:${process.env.PATH}`,
      HOME: scratch,
      XDG_CONFIG_HOME: scratch,
      TERM: 'xterm',
    }),
  });
  const lines = [
    'jobs:kill \t',
    'jobs:export-csv --output \t',
    'config --config=\t',
    'jobs:export-csv --output \\$\t',
  ];
  child.stdin!.write([setUp, ...lines.map((line) => `atomctl ${line}`), 'exit', ''].join('\n'));
  expect(await screenOf(child)).toMatch(new RegExp(`jobs:kill .*${String(job).slice(0, -1)}`));
  expect([proof, join(scratch, 'proof')].filter((path) => existsSync(path))).toEqual([]);
});
