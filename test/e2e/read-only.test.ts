import {once} from 'node:events';
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer, type Server} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {COMMANDS} from '../../src/cli/start/command-table.ts';
import {createScratch, runAtomctl} from '../support/sandbox.ts';

/** Every way in which a command changes something. */
const CHANGING: readonly (readonly string[])[] = [
  ['doctor', '--fix', '--yes'],
  ['jobs:clear', '--yes'],
  ['jobs:kill', '1', '--yes'],
  ['jobs:list', '--probe'],
  ['jobs:mark', '1', '--as', 'error', '--yes'],
  ['jobs:mark', '1', '--as', 'error', '--probe', '--dry-run'],
  ['jobs:retry', '1', '--yes'],
  ['jobs:why', '1', '--probe'],
  ['queue:hold', '--max-wait', '1'],
  ['queue:restore', '/nowhere/queue.json', '--yes'],
  ['queue:save', '/nowhere/queue.json'],
  ['worker:disable'],
  ['worker:enable'],
  ['worker:reset'],
  ['worker:restart', '--yes'],
  ['worker:run'],
  ['worker:start'],
  ['worker:stop', '--yes'],
  ['worker:unit', '--install', '--yes'],
];

/** Commands that change nothing, with the least that they need. */
const READING: readonly (readonly string[])[] = [
  ['completion', 'bash'],
  ['completion:answer', '--', 'jobs:k'],
  ['config'],
  ['doctor'],
  ['help'],
  ['jobs:clear', '--dry-run'],
  ['jobs:export-csv'],
  ['jobs:kill', '1', '--dry-run'],
  ['jobs:list'],
  ['jobs:mark', '1', '--as', 'error', '--dry-run'],
  ['jobs:retry', '1', '--dry-run'],
  ['jobs:show', '1'],
  ['jobs:stats'],
  ['jobs:wait', '1'],
  ['jobs:why', '1'],
  ['man'],
  ['queue:restore', '/nowhere/queue.json', '--dry-run'],
  ['queue:status'],
  ['queue:workers'],
  ['report', '-'],
  ['worker:logs'],
  ['worker:status'],
  ['worker:unit'],
];

let scratch: string;
let server: Server;
let connections = 0;
let config: string;
let env: Record<string, string>;

/** The database, the Gearman server, systemd and PHP: whoever is asked leaves a trace. */
beforeAll(async () => {
  scratch = createScratch('read-only');
  server = createServer((socket) => socket.destroy());
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const {port} = server.address() as AddressInfo;
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  for (const tool of ['systemctl', 'sudo', 'php', 'setpriv']) {
    writeFileSync(join(bin, tool), `#!/bin/sh\ntouch ${scratch}/ran-${tool}\nexit 1\n`);
    chmodSync(join(bin, tool), 0o755);
  }
  config = join(scratch, 'config.yml');
  const site = `database: mysql://u:p@127.0.0.1:${port}/d, gearman: "127.0.0.1:${port}"`;
  writeFileSync(config, `sites:\n  live: {${site}, readOnly: true}\n  test: {${site}, readOnly: false}\n`);
  chmodSync(config, 0o600);
  env = {ATOMCTL_CONFIG: config, ATOMCTL_TIMEOUT: '1', PATH: `${bin}:${process.env.PATH}`};
});

afterAll(() => server.close());

test('every command is in one of the lists', () => {
  const listed = [...CHANGING, ...READING].map(([id]) => id);
  expect([...new Set(listed)].sort()).toEqual(Object.keys(COMMANDS).sort());
});

describe.each(CHANGING.map((args) => [args.join(' '), args] as const))('%s', (_, args) => {
  test.each<[string, string[], Record<string, string>]>([
    ['--read-only', ['--read-only', '--site', 'test'], {}],
    ['ATOMCTL_READ_ONLY', ['--site', 'test'], {ATOMCTL_READ_ONLY: '1'}],
    ['readOnly at ', ['--site', 'live'], {}],
    ['readOnly at ', [], {ATOMCTL_SITE: 'live'}],
  ])('is refused by %s before it connects', async (origin, flags, more) => {
    const before = connections;
    const {code, stdout, stderr} = await runAtomctl([...args, ...flags], {env: {...env, ...more}});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^Error: \S+ changes data, but [^\n]+ allows only reading\. Nothing was changed\.\n$/,
    );
    expect(stderr).toContain(`but ${origin}`);
    expect(connections).toBe(before);
    for (const tool of ['systemctl', 'sudo', 'php', 'setpriv'])
      expect(existsSync(join(scratch, `ran-${tool}`))).toBe(false);
  });
});

describe.each(READING.map((args) => [args.join(' '), args] as const))('%s', (_, args) => {
  test('is not refused for a site that may only be read', async () => {
    const {stdout, stderr} = await runAtomctl(args, {
      env: {...env, ATOMCTL_SITE: 'live', ATOMCTL_READ_ONLY: 'yes'},
    });
    expect(stdout + stderr).not.toContain('only reading');
  });
});

test('a wrong value is a usage error, and 0 is off', async () => {
  const args = ['jobs:clear', '--yes', '--site', 'test'];
  const wrong = await runAtomctl(args, {env: {...env, ATOMCTL_READ_ONLY: 'on'}});
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"on" (ATOMCTL_READ_ONLY)')]);
  const before = connections;
  expect((await runAtomctl(args, {env: {...env, ATOMCTL_READ_ONLY: '0'}})).code).toBe(3);
  expect(connections).toBeGreaterThan(before);
});
