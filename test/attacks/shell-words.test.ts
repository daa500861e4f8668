/** Names that a shell would run or expand, where the completion of a real shell shows them. */
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {SHELLS, typeIntoShell} from '../support/atomctl/shells.ts';
import {installed} from '../support/installed.ts';
import {ATOMCTL, type AtomSite, createScratch, createSite} from '../support/sandbox.ts';

let site: AtomSite;
let scratch: string;
let proof: string;
let job: number;

/** Answers completion as atomctl does, and does nothing else. */
const SHIM = `#!/bin/sh
case $1 in
  completion*) exec ${ATOMCTL.join(' ')} "$@" ;;
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

test.for(SHELLS)('$shell runs nothing of what it completes', async ({shell, run, setUp}, {skip}) => {
  skip(!installed(shell), `${shell} is not installed`);
  const lines = [
    'jobs:kill \t',
    'jobs:list --name \t',
    'jobs:export-csv --output \t',
    'config --config=\t',
    'jobs:export-csv --output \\$\t',
  ];
  const typed = [setUp, ...lines.map((line) => `atomctl ${line}`), 'exit'];
  expect(await typeIntoShell(run, typed, {directory: scratch, env: site.env})).toMatch(
    // What the ids have in common is put into the line; fish draws that in parts, and lists the ids.
    new RegExp(`jobs:kill .*${String(job).slice(0, -1)}|^${job} +\\(`, 'm'),
  );
  expect([proof, join(scratch, 'proof')].filter((path) => existsSync(path))).toEqual([]);
});
