import {mkdir, mkdtemp, realpath, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {UnitState} from '../../../src/systemd/unit-state.ts';
import {findUnits} from '../../../src/worker/units.ts';
import {FakeSystemd} from '../../support/workers/fake-systemd.ts';

const WORKER = '/usr/bin/php -d memory_limit=-1 symfony jobs:worker';
const RUNNING: Partial<UnitState> = {active: 'active', sub: 'running', mainPid: 7};
let scratch: string;
let root: string;

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), 'units-')));
  root = join(scratch, 'releases/2');
  await mkdir(root, {recursive: true});
  await mkdir(join(scratch, 'other'));
  await mkdir(join(scratch, 'systemd'));
  await symlink('releases/2', join(scratch, 'current'));
});

afterAll(() => rm(scratch, {recursive: true}));

/** A systemd whose unit files are in a directory of the test's. */
function systemd(units: Record<string, Partial<UnitState>>): FakeSystemd {
  const fake = new FakeSystemd();
  fake.directories = async () => [join(scratch, 'systemd'), join(scratch, 'no-such-directory')];
  for (const [name, fields] of Object.entries(units)) fake.install(name, fields);
  return fake;
}

async function found(units: Record<string, Partial<UnitState>>, names: string[] = []): Promise<string[]> {
  return (await findUnits({manager: systemd(units), root, names})).map(({name}) => name);
}

test('every service that runs jobs:worker in the root, whatever its name, templates included', async () => {
  expect(
    await found({
      'archives.service': {...RUNNING, command: WORKER, workingDirectory: root},
      'atom-worker@1.service': {...RUNNING, command: WORKER, workingDirectory: join(scratch, 'current')},
      'by-path.service': {
        ...RUNNING,
        command: `/usr/bin/php ${root}/symfony jobs:worker`,
        workingDirectory: null,
      },
      'atom-worker.service': {...RUNNING, command: WORKER, workingDirectory: join(scratch, 'other')},
      'php-fpm.service': {...RUNNING, command: '/usr/sbin/php-fpm', workingDirectory: root},
      'by-other-path.service': {
        ...RUNNING,
        command: `/usr/bin/php ${scratch}/other/symfony jobs:worker`,
        workingDirectory: root,
      },
    }),
  ).toEqual(['archives.service', 'atom-worker@1.service', 'by-path.service']);
});

test('a stopped unit that systemd has not in memory is found by its file', async () => {
  await writeFile(join(scratch, 'systemd/stopped.service'), `[Service]\nExecStart=${WORKER}\n`);
  await writeFile(join(scratch, 'systemd/template@.service'), `[Service]\nExecStart=${WORKER}\n`);
  await writeFile(join(scratch, 'systemd/unrelated.service'), '[Service]\nExecStart=/bin/true\n');
  const unit = {command: WORKER, workingDirectory: root};
  expect(await found({'stopped.service': unit, 'unrelated.service': unit})).toEqual(['stopped.service']);
});

test('named units are taken as they are', async () => {
  const units = {'a.service': {command: '/bin/true'}, 'b@1.service': {}};
  expect(await found(units, ['a', 'b@1', 'a.service'])).toEqual(['a.service', 'b@1.service']);
  await expect(found(units, ['c'])).rejects.toMatchObject({
    code: 'NO_SUCH_UNIT',
    message: 'systemd has no unit c.service.',
  });
});

test('no unit: the error names the units of other directories', async () => {
  const elsewhere = {'x.service': {...RUNNING, command: WORKER, workingDirectory: join(scratch, 'other')}};
  await expect(found(elsewhere)).rejects.toMatchObject({
    code: 'NO_SUCH_UNIT',
    message: expect.stringContaining('x.service'),
  });
  const nowhere = findUnits({manager: systemd({}), root: null, names: []});
  await expect(nowhere).rejects.toMatchObject({
    code: 'NO_SUCH_UNIT',
    hint: expect.stringContaining('--atom-root'),
  });
});
