import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {type GearmanProcess, runAtomctl, runOnTerminal, startGearmand} from '../support/sandbox.ts';
import {createQueueSite, executeJob, type QueueSite} from '../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;
let directory: string;
let env: Record<string, string>;
let calls: string;

/** One unit, whose journal cannot be read, and at whose stop atomctl dies: that it was agreed to is enough here. */
beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
  directory = mkdtempSync(join(tmpdir(), 'clear-restart-'));
  const bin = join(directory, 'bin');
  calls = join(directory, 'calls');
  const systemctl = `#!/bin/sh
case "$*" in
*UnitPath*) echo UnitPath= ;;
*reset-failed*) ;;
*" stop "*) echo "$*" >> ${calls}; kill -9 $PPID ;;
*) cat <<END ;;
Id=atom-worker.service
LoadState=loaded
ActiveState=active
SubState=running
MainPID=0
ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php symfony jobs:worker ; ignore_errors=no ; }
WorkingDirectory=${at.site.root}
END
esac
`;
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), systemctl, {mode: 0o755});
  env = {...at.site.env, PATH: `${bin}:${process.env.PATH}`};
});

beforeEach(() => rmSync(calls, {force: true}));

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
  rmSync(directory, {recursive: true});
});

test('K2: the plan names the units to stop and the jobs that this interrupts; a yes at the question agrees to these', async () => {
  const one = await executeJob(at.site);
  const other = await executeJob(at.site, 'arFileImportJob');
  const args = ['jobs:clear', '--id', String(one.id), '--restart-worker'];
  const named = `the worker to be stopped also executes ${other.id} (arFileImportJob)`;

  const dry = await runAtomctl([...args, '--dry-run'], {env});
  expect([dry.code, dry.stdout.replaceAll(/\s+/g, ' ')]).toEqual([0, expect.stringContaining(named)]);
  expect(dry.stdout).toContain('Stopped first, and started again: atom-worker.service.');
  const {stdout} = await runAtomctl([...args, '--dry-run', '--json'], {env});
  expect(JSON.parse(stdout)).toMatchObject({
    units: ['atom-worker.service'],
    interrupted: [other.id],
    warnings: expect.arrayContaining([expect.stringContaining(named)]),
  });

  const refused = await runAtomctl([...args, '--yes'], {env});
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('--interrupt-others')]);
  const declined = await runOnTerminal(args, {env, input: 'n\n'});
  const screen = stripVTControlCharacters(declined.screen).replaceAll(/\s+/g, ' ');
  expect([declined.code, screen]).toEqual([5, expect.stringContaining(named)]);
  expect(existsSync(calls)).toBe(false);

  await runOnTerminal(args, {env, input: 'y\n'});
  expect(readFileSync(calls, 'utf8')).toMatch(/stop .*atom-worker\.service/);
  await Promise.all([one.worker.kill(), other.worker.kill()]);
});
