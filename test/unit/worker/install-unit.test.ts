import {chmod, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {renderInstalled} from '../../../src/render/worker.ts';
import {installUnit, runningUnits} from '../../../src/worker/install-unit.ts';
import {createScratch} from '../../support/scratch.ts';
import {FakeSystemd} from '../../support/workers/fake-systemd.ts';

const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

test('an installed unit that runs has to be restarted, each instance of a template too', async () => {
  const manager = new FakeSystemd();
  for (const name of ['atom.service', 'atom@1.service', 'atom@2.service', 'atom-two.service', 'idle.service'])
    manager.install(name);
  for (const name of ['atom.service', 'atom@1.service', 'atom@2.service', 'atom-two.service'])
    await manager.change('start', name);
  expect(await runningUnits('atom.service', manager)).toEqual(['atom.service']);
  expect(await runningUnits('atom@.service', manager)).toEqual(['atom@1.service', 'atom@2.service']);
  expect(await runningUnits('idle.service', manager)).toEqual([]);
  expect(renderInstalled('/etc/x.service', ['x.service'])).toBe(
    '/etc/x.service is installed.\nA restart is needed: x.service uses the old unit file until then. To restart: atomctl worker:restart\n',
  );
  expect(renderInstalled('/etc/x.service', [])).toMatch(/^\S+ is installed\.\n.*atomctl worker:start/);
});

test('a file that may not be written: --sudo is recommended, but not after sudo has failed', async () => {
  const tools = createScratch('tools');
  await writeFile(join(tools, 'sudo'), '#!/bin/sh\necho "sudo: a password is required" >&2; exit 1\n');
  await chmod(join(tools, 'sudo'), 0o755);
  const file = join(tools, 'x.service');
  await mkdir(file);
  const install = (sudo: boolean) =>
    installUnit({path: file, text: '', before: null, difference: '+'}, {manager: new FakeSystemd(), sudo});
  await expect(install(false)).rejects.toMatchObject({
    message: `${file} could not be written: it is a directory.`,
    hint: expect.stringContaining('Give --sudo, or run'),
  });
  process.env.PATH = `${tools}:${path}`;
  await expect(install(true)).rejects.toMatchObject({
    message: `${file} could not be written: sudo: a password is required.`,
    hint: 'Run it as root, without --sudo.',
  });
});
