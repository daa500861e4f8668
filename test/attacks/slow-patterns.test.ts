/** Text that a careless pattern reads for minutes or years. A command that takes so long is ended, and has no result. */
import {execFile, spawn} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {type AtomSite, cleanEnvironment, commandLine, createScratch, createSite} from '../support/sandbox.ts';

const LONG = 60_000;

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

async function run(args: readonly string[], env: Readonly<Record<string, string>> = site.env) {
  const options = {
    env: cleanEnvironment(env),
    timeout: 20_000,
    maxBuffer: 2 ** 26,
    killSignal: 'SIGKILL' as const,
  };
  const {code, killed, stdout, stderr} = await promisify(execFile)(...commandLine(args), options)
    .then((output) => ({...output, code: 0, killed: false}))
    .catch((error) => error);
  return {code, killed, text: `${stdout}${stderr}`};
}

test('a DSN of blanks in config.php, and comments without end in the file with the version, are read at once', async () => {
  const root = createScratch('slow');
  for (const directory of ['config', 'apps/qubit/config'])
    mkdirSync(join(root, directory), {recursive: true});
  const config = `<?php return ['all' => ['propel' => ['param' => ['dsn' => 'mysql:${' '.repeat(LONG)}']]]];`;
  const files = {
    symfony: '',
    'config/ProjectConfiguration.class.php': '',
    'config/config.php': config,
    'apps/qubit/config/qubitConfiguration.class.php': 'const /*'.repeat(LONG),
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  const {code, killed, text} = await run(['config'], {ATOMCTL_ROOT: root});
  expect([code, killed, text]).toEqual([2, false, expect.stringContaining('has no database name')]);
});

test('a log of line breaks, after a line in which a name could end at every place, is shown at once', async () => {
  // Whoever has AtoM's account may let the column hold more than 64 KiB.
  await site.query('ALTER TABLE job MODIFY output LONGTEXT');
  const log = `[info] [2026-03-04 13:05:02] Job 1 "${'": '.repeat(LONG)}\u2028${'\n'.repeat(20 * LONG)}x`;
  const id = await site.insertJob({status: 'completed', output: log});
  for (const args of [['--json'], []]) {
    const {code, killed} = await run(['jobs:show', `${id}`, ...args]);
    expect([code, killed]).toEqual([0, false]);
  }
});

test("a process of another user whose name is php over and over does not stop the search for AtoM's workers", async () => {
  const child = spawn('sleep', ['300'], {argv0: `${'php'.repeat(40_000)}!`, stdio: 'ignore'});
  onTestFinished(() => void child.kill('SIGKILL'));
  const id = await site.insertJob({status: 'running'});
  const {killed, text} = await run(['jobs:list', '--id', `${id}`]);
  expect([killed, text]).toEqual([false, expect.stringContaining(`${id}`)]);
});
