import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmod, chown, mkdir, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {
  type AtomSite,
  cleanEnvironment,
  commandLine,
  createScratch,
  createSite,
  runAtomctl,
  until,
} from '../support/sandbox.ts';

const WWW_DATA = 33;

let site: AtomSite;
let scratch: string;

beforeAll(async () => {
  site = await createSite();
  scratch = createScratch('worker');
  await mkdir(join(scratch, 'empty'));
  // Root runs a worker as the owner of the AtoM root.
  if (process.geteuid!() === 0) {
    await chown(site.root, WWW_DATA, WWW_DATA);
    for (const directory of [dirname(scratch), scratch]) await chmod(directory, 0o755);
  }
});

afterAll(() => site.drop());

/** An interpreter that prints its arguments, and exits with 42 on SIGTERM. */
async function fakePhp(): Promise<string> {
  const php = join(scratch, 'php');
  await writeFile(
    php,
    '#!/bin/sh\ntrap "exit 42" TERM\necho "$PWD: $*"\nwhile [ "$ATOM_STAY" ]; do sleep 0.05; done\nexit 111\n',
  );
  await chmod(php, 0o755);
  return php;
}

test('without systemd: one sentence, exit 3, and what works instead', async () => {
  const env = {...site.env, PATH: join(scratch, 'empty')};
  for (const command of ['status', 'start', 'logs']) {
    const {code, stdout, stderr} = await runAtomctl([`worker:${command}`], {env});
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^Error: This machine has no systemctl\. In a container, .*atomctl worker:run.*\n$/,
    );
  }
  const {stdout} = await runAtomctl(['worker', 'status', '--json'], {env});
  expect(JSON.parse(stdout)).toMatchObject({error: {code: 'SYSTEMD_UNAVAILABLE'}});
});

test('run: the worker in the root, its options passed on, its exit status returned', async () => {
  const php = await fakePhp();
  const given = ['--abilities=arFileImportJob,arObjectMoveJob', '--max-job-count=5', '--max-mem-usage=512'];
  const {code, stdout} = await runAtomctl(['worker:run', '--php', php, ...given], {env: site.env});
  expect(code).toBe(111);
  expect(stdout).toBe(
    `${site.root}: -d memory_limit=-1 -d error_reporting=E_ALL symfony jobs:worker ${given.join(' ')}\n`,
  );
});

test('run: a signal reaches the worker, whose exit status is returned', async () => {
  const child = spawn(...commandLine(['worker:run', '--php', await fakePhp()]), {
    env: cleanEnvironment({...site.env, ATOM_STAY: 'yes'}),
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await until(() => output.includes('jobs:worker'));
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([42, null]);
});

test('run: PHP that cannot be run, and invalid options', async () => {
  const missing = await runAtomctl(['worker:run', '--php', '/no/such/php'], {env: site.env});
  expect(missing).toMatchObject({code: 1, stderr: expect.stringContaining('--php PATH')});
  const wrong = await runAtomctl(['worker:run', '--types', 'a b'], {env: site.env});
  expect(wrong).toMatchObject({code: 2, stderr: expect.stringContaining('"a b"')});
});

test('unit: printed without systemd, written for a user manager only with --install', async () => {
  const env = {...site.env, PATH: join(scratch, 'empty'), XDG_CONFIG_HOME: join(scratch, 'config')};
  const {code, stdout} = await runAtomctl(['worker:unit', '--user-manager', '--json'], {env});
  expect(code).toBe(0);
  const path = join(scratch, 'config/systemd/user/atom-worker.service');
  expect(JSON.parse(stdout)).toEqual({
    path,
    installed: false,
    unit: expect.stringContaining(`WorkingDirectory=${site.root}\n`),
  });
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test.each([
  ['--user', 'www-data\nExecStartPre=/tmp/x'],
  ['--name', 'atom\n[Service]'],
  ['--name', '../../cron.d/atom'],
  ['--php', '/usr/bin/php\nUser=root'],
])('S9, S20: unit: %s %j is a usage error, and nothing is installed', async (flag, value) => {
  const env = {...site.env, XDG_CONFIG_HOME: join(scratch, 'refused')};
  const args = ['worker:unit', '--user-manager', '--install', '--yes', flag, value];
  const {code, stdout, stderr} = await runAtomctl(args, {env});
  expect([code, stdout, stderr]).toEqual([
    2,
    '',
    expect.stringContaining(`(${flag}) cannot be used in a unit file.`),
  ]);
  await expect(readFile(join(scratch, 'refused'))).rejects.toThrow('ENOENT');
});
