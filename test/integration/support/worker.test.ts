import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {createSite, startGearmand, startWorker, submitJob, until} from '../../support/sandbox.ts';
import type {SubmitJob} from '../../support/servers/submit-job.ts';
import {type JobKind, testWorkerContract} from '../../support/workers/worker-contract.ts';

const JOBS: Record<JobKind, SubmitJob> = {
  succeeds: {},
  fails: {work: {error: 'No such file.'}},
  exports: {jobClass: 'arInformationObjectCsvExportJob', name: 'CSV export'},
  'takes seconds': {work: {seconds: 3}},
  imports: {jobClass: 'arFileImportJob', work: {seconds: 600}},
  moves: {jobClass: 'arObjectMoveJob'},
  'lacks a parameter': {parameters: {}},
};

describeVersion('2.6.4', false);
describeVersion('2.8.2', true);

function describeVersion(version: string, isSince27: boolean): void {
  testWorkerContract(`the sandbox's worker as ${version}`, async ({gearman}) => {
    const site = await createSite({version, gearman, timezone: 'Asia/Tokyo'});
    return {
      site,
      isSince27,
      serialClass: 'arFileImportJob',
      start: (args) => startWorker(site, args),
      submit: async (kind) => {
        const {id, payload} = await submitJob(site, JOBS[kind]);
        return {id, parameters: JSON.parse(payload)};
      },
    };
  });
}

test('an import that ends logs what its child printed, and its upload is gone', async () => {
  const gearmand = await startGearmand();
  const site = await createSite({gearman: [gearmand.endpoint]});
  await startWorker(site);
  const good = await submitJob(site, {jobClass: 'arFileImportJob'});
  // Of two serial jobs of one second, either may be the older one.
  const bad = await submitJob(site, {
    jobClass: 'arFileImportJob',
    startedAt: '2026-03-04 13:05:01',
    work: {error: 'No such column.'},
  });
  const rows = () =>
    site.query('SELECT status_id, output FROM job WHERE id IN (?) ORDER BY id', [[good.id, bad.id]]);
  await until(async () => (await rows()).every(({output}) => output?.includes('Job finished.')));
  const [first, second] = await rows();
  expect([first.status_id, second.status_id]).toEqual([184, 185]);
  expect(first.output).toContain(`: php '${site.root}/symfony' 'csv:import' `);
  expect(second.output).toMatch(/\[err\] .*'csv:import' .*; +No such column\./);
  await site.drop();
  await gearmand.stop();
});

test('a worker whose failing job has lost its row ends with status 1', async () => {
  const gearmand = await startGearmand();
  const site = await createSite({gearman: [gearmand.endpoint]});
  const worker = await startWorker(site);
  const {id} = await submitJob(site, {work: {seconds: 1, error: 'No.'}});
  await until(() => worker.started().includes(id));
  await site.query('DELETE FROM object WHERE id = ?', [id]);
  expect(await worker.ended).toBe(1);
  await site.drop();
  await gearmand.stop();
});

test('dropping a site ends what its workers have left', async () => {
  const gearmand = await startGearmand();
  const site = await createSite({gearman: [gearmand.endpoint]});
  const worker = await startWorker(site);
  await submitJob(site, {jobClass: 'arFileImportJob', work: {seconds: 600}});
  await until(() => worker.started().length === 1);
  await worker.kill();
  await site.drop();
  await until(() => !isAlive(-worker.pid));
  await gearmand.stop();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a worker ends with the process that started it, however that ends', async () => {
  const script = `
    import {spawnGroup} from './test/support/servers/server-process.ts';
    const {pid} = spawnGroup('sleep', ['600'], {cwd: '/', env: process.env, outputFile: '/dev/null'});
    console.log(pid);
    setInterval(() => {}, 1000);
  `;
  const args = ['--import', './test/support/typescript.mjs', '--input-type=module', '--eval', script];
  const starter = spawn(process.execPath, args, {cwd: fileURLToPath(new URL('../../..', import.meta.url))});
  const [line] = await once(starter.stdout, 'data');
  const pid = Number(line);
  expect(isAlive(-pid)).toBe(true);
  starter.kill('SIGKILL');
  await until(() => !isAlive(-pid));
});
