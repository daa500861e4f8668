/** What systemctl would take for more than one unit, or for an option, as the name of a unit. */
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {createScratch, runAtomctl} from '../support/sandbox.ts';

let env: Record<string, string>;
let calls: string;

/** Stands for systemctl and journalctl, and writes down with what it was called. */
beforeAll(() => {
  const scratch = createScratch('units');
  calls = join(scratch, 'calls');
  writeFileSync(calls, '');
  mkdirSync(join(scratch, 'bin'));
  for (const tool of ['systemctl', 'journalctl']) {
    writeFileSync(join(scratch, 'bin', tool), `#!/bin/sh\nprintf '%s\\n' "$0 $*" >> ${calls}\nexit 1\n`);
    chmodSync(join(scratch, 'bin', tool), 0o755);
  }
  env = {
    PATH: `${join(scratch, 'bin')}:${process.env.PATH}`,
    ATOMCTL_DATABASE_URL: 'mysql://x@127.0.0.1:9/x',
  };
});

const NAMES = ['*', 'atom*', 'ssh?', '[a-z]*.service', 'a b', '../x.service', 'x\nUnit.service', ''];
const COMMANDS = [
  'worker:restart',
  'worker:stop',
  'worker:start',
  'worker:disable',
  'worker:reset',
  'worker:logs',
];

test.each([...NAMES.map((name) => ['worker:status', name]), ...COMMANDS.map((command) => [command, '*'])])(
  '%s refuses %j as the name of a unit, and calls nothing',
  async (command, name) => {
    const {code, stderr} = await runAtomctl([command!, `--unit=${name}`], {env});
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^Error: [^\n]+ is not a valid unit name[^\n]+\n$/),
    ]);
    expect(readFileSync(calls, 'utf8')).toBe('');
  },
);

test('a name that begins as an option does stays a name', async () => {
  await runAtomctl(['worker:restart', '--unit=--host=evil'], {env});
  await runAtomctl(['worker:restart', '--unit=-H'], {env});
  const called = readFileSync(calls, 'utf8').trimEnd().split('\n');
  expect(called).toEqual([expect.stringMatching(/ -- -H\.service$/)]);
});
