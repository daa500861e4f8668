/** Names that every JavaScript object has: whoever looks them up in a plain object finds a function. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectWorker} from '../../src/gearman/worker-connection.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  submitBackground,
} from '../support/sandbox.ts';

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

let gearmand: GearmanProcess;
let site: AtomSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  await site.query('UPDATE user SET username = ? WHERE id = 449', ['__proto__']);
  for (const name of NAMES) {
    await site.insertJob({name, userId: 449, status: 'running', notes: [{text: name, error: true}]});
    await site.insertJob({name, userId: 449, status: 'error', notes: [{text: name, error: true}]});
    await submitBackground(
      gearmand.endpoint,
      site.functionName(name),
      name,
      `{"__proto__":{"id":1},"id":"${name}"}`,
    );
  }
});

afterAll(async () => {
  await site?.drop();
  await gearmand?.kill();
});

test('jobs, users, functions and keys of such names are shown as any other', async () => {
  const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5, clientId: '__proto__'});
  await worker.grab([site.functionName('constructor')]);
  const commands = [
    ['jobs:list', '--csv', '--probe'],
    ['jobs:stats'],
    ['jobs:export-csv'],
    ['queue:status', '--all', '--prometheus'],
    ['doctor', '--json'],
    ['queue:workers'],
  ];
  for (const args of commands) {
    const {stdout, stderr} = await runAtomctl(args, {env: site.env});
    expect([args, stdout]).toEqual([args, expect.stringContaining('constructor')]);
    expect(stdout + stderr).not.toMatch(/Internal error|\[Function|\[object|native code/);
  }
  worker.close();
  const {stdout} = await runAtomctl(['jobs:list', '--json', '--user', '__proto__', '--name', '__proto__'], {
    env: site.env,
  });
  expect(JSON.parse(stdout)).toMatchObject({total: 2, jobs: [{name: '__proto__'}, {name: '__proto__'}]});
});

test('getenv of such a name in config.php is false, as in PHP; as a flag or a key it is unknown', async () => {
  const root = createScratch('own-names');
  mkdirSync(join(root, 'config'));
  for (const name of ['symfony', 'config/ProjectConfiguration.class.php'])
    writeFileSync(join(root, name), '');
  for (const name of NAMES) {
    const user = `(getenv('${name}') === false ? 'none' : 'some') . ($_SERVER['${name}'] ?? '-')`;
    const param = `['dsn' => 'mysql:host=db;dbname=x', 'username' => ${user}]`;
    writeFileSync(
      join(root, 'config/config.php'),
      `<?php return ['all' => ['propel' => ['param' => ${param}]]];`,
    );
    const {stdout, stderr} = await runAtomctl(['config', '--json'], {env: {ATOMCTL_ROOT: root}});
    expect([stderr, JSON.parse(stdout).database.value.user]).toEqual(['', 'none-']);
  }
  for (const args of [
    ['constructor'],
    ['jobs:list', '--columns', '__proto__'],
    ['jobs:list', '--sort', 'toString'],
  ])
    expect([args, (await runAtomctl(args, {env: site.env})).code]).toEqual([args, 2]);
});
