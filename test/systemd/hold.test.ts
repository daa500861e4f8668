import {symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeEach, expect, inject, test} from 'vitest';
import {submitJob} from '../support/servers/submit-job.ts';
import {until} from '../support/until.ts';
import {atomctlCommand, inRig, type RigAddress} from './rig.ts';
import {createRigSite, overrideUnit, type RigSite} from './rig-site.ts';

const provided = inject('rig');
const reason = 'skipped' in provided ? provided.skipped : null;
const rig = provided as RigAddress;
const sites: RigSite[] = [];

beforeEach(({skip}) => skip(reason !== null, reason ?? ''));

afterAll(async () => {
  for (const {site, unit} of sites) {
    await inRig(rig, 'systemctl', 'stop', unit);
    await site.drop();
  }
});

/** A site behind a link, as a deploy swaps it, with its unit, which executes a job while others wait. */
async function busySite(name: string) {
  const made = await createRigSite(rig, name);
  sites.push(made);
  const {site, unit} = made;
  const link = join(rig.scratch, `${name}-current`);
  const next = join(rig.scratch, `${name}-next`);
  await symlink(site.root, link);
  const atomctl = (...args: string[]) => inRig(rig, ...atomctlCommand(link, args));
  await made.atomctl('worker:unit', '--install', '--name', name);
  await overrideUnit(rig, unit, `[Service]\nWorkingDirectory=${link}\nRestartSec=200ms\n`);
  expect((await atomctl('worker:start', '--unit', unit)).code).toBe(0);
  const jobs = [await submitJob(site, {work: {seconds: 4}})];
  await until(async () => (await startsOf(site, jobs[0]!.id)) === 1);
  for (const server of [0, 1, 0, 1, 0]) jobs.push(await submitJob(site, {server: site.gearman[server]!}));
  for (let count = 0; count < 2; count += 1) jobs.push(await submitJob(site, {jobClass: 'arFileImportJob'}));
  const deploy = `cp -a ${site.root} ${next} && ln -sfn ${next} ${link}`;
  return {site, unit, link, atomctl, deploy, ids: jobs.map(({id}) => id), show: made.show};
}

async function startsOf(site: RigSite['site'], id: number): Promise<number> {
  const [row] = await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]);
  return (row!.output ?? '').split('Job started.').length - 1;
}

async function expectEachRanOnce(site: RigSite['site'], ids: readonly number[]): Promise<void> {
  await until(async () => (await site.query('SELECT id FROM job WHERE status_id = 183')).length === 0);
  for (const id of ids) expect([id, await startsOf(site, id)]).toEqual([id, 1]);
  const failed = await site.query('SELECT id FROM job WHERE status_id <> 184');
  expect(failed).toEqual([]);
}

test('a deploy that moves the root on a busy queue and restarts the worker: every job runs once, none stays under the old prefix', async () => {
  const {site, unit, link, atomctl, deploy, ids, show} = await busySite('deploy');
  const {MainPID} = await show('MainPID');
  const restart = atomctlCommand(link, ['worker:restart', '--yes', '--unit', unit]).join(' ');
  const script = `systemctl is-active ${unit}; ${deploy} && ${restart} > /dev/null; systemctl is-active ${unit}`;
  const held = await atomctl('queue:hold', '--re-prefix', '--', 'sh', '-c', script);
  expect([held.code, held.stdout]).toEqual([0, 'inactive\nactive\n']);
  expect(held.stderr).toMatch(
    /7 jobs were held, 7 moved to the site's new prefix; all wait in the queue again\./,
  );
  expect(await show('ActiveState')).toEqual({ActiveState: 'active'});
  expect((await show('MainPID')).MainPID).not.toBe(MainPID);
  await expectEachRanOnce(site, ids);
});

test('without --re-prefix it names both prefixes, and the command that it gives moves the jobs', async () => {
  const {site, atomctl, deploy, ids} = await busySite('moved');
  const held = await atomctl('queue:hold', '--', 'sh', '-c', deploy);
  expect(held.code).toBe(5);
  expect(held.stderr).toContain(`7 jobs wait under the function prefix ${site.prefix}, and this site's is `);
  const [, hint] = /: atomctl (queue:hold --from-prefix \w+ --re-prefix -- true)/.exec(held.stderr)!;
  expect((await atomctl(...hint!.split(' '))).code).toBe(0);
  await expectEachRanOnce(site, ids);
});
