import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {afterAll, expect, test} from 'vitest';
import {
  createSite,
  startGearmand,
  startWorker,
  submitBackground,
  submitJob,
  until,
} from '../../support/sandbox.ts';

const run = promisify(execFile);
const servers = [await startGearmand(), await startGearmand()];
const site = await createSite({gearman: servers.map((server) => server.endpoint), timezone: 'Asia/Tokyo'});
afterAll(async () => {
  await site.drop();
  await Promise.all(servers.map((server) => server.stop()));
});

async function admin(command: string, port = servers[0]!.address.port): Promise<string> {
  return (await run('gearadmin', ['-h', '127.0.0.1', '-p', String(port), command])).stdout;
}

async function isEmpty(port: number): Promise<boolean> {
  return /^\.?\n?$/.test(await admin('--show-jobs', port));
}

test('a worker takes jobs from every server and keeps their rows as AtoM does', async () => {
  const worker = await startWorker(site);
  expect(await admin('--workers')).toMatch(
    new RegExp(`127.0.0.1 pid_${worker.pid}_[0-9a-f]{13} : .*${site.prefix}-arFindingAidJob`),
  );
  const good = await submitJob(site, {parameters: {objectId: 512, title: 'Été/1'}});
  const bad = await submitJob(site, {
    jobClass: 'arFileImportJob',
    parameters: {sandbox: {lines: 2, error: 'No such file.'}},
    server: servers[1]!.endpoint,
  });
  await submitBackground(
    servers[0]!.endpoint,
    site.functionName('arFindingAidJob'),
    'gone',
    '{"id": 999999}',
  );
  await until(() => worker.output().includes('invalid QubitJob id 999999'));
  for (const {address} of servers) await until(() => isEmpty(address.port));
  expect(await worker.stop()).toBe(0);

  const rows = await site.query(
    'SELECT id, status_id, completed_at, output FROM job WHERE id IN (?) ORDER BY id',
    [[good.id, bad.id]],
  );
  expect(rows).toMatchObject([
    {id: good.id, status_id: 184},
    {id: bad.id, status_id: 185},
  ]);
  expect(
    rows[0].output.split('\n').map((line: string) => line.slice('[info] [2026-01-01 00:00:00] '.length)),
  ).toEqual([
    `Job ${good.id} "arFindingAidJob": Job started.`,
    `Job ${good.id} "arFindingAidJob": Parameters: {"objectId":512,"title":"\\u00c9t\\u00e9\\/1","name":"arFindingAidJob","id":${good.id}}`,
    `Job ${good.id} "arFindingAidJob": Job finished.`,
    '',
  ]);
  expect(worker.started().sort()).toEqual([good.id, bad.id].sort());
});

test('the job of a worker that dies is handed out again', async () => {
  const job = await submitJob(site, {parameters: {sandbox: {seconds: 60}}});
  const first = await startWorker(site);
  await until(() => first.started().includes(job.id));
  expect(await admin('--show-unique-jobs')).toContain(job.unique);
  await first.kill();
  const second = await startWorker(site);
  await until(() => second.started().includes(job.id));
  await site.query('DELETE FROM object WHERE id = ?', [job.id]);
  await second.kill();
});

test('the root’s own symfony runs the worker', async () => {
  const job = await submitJob(site);
  const worker = run('php', ['symfony', 'jobs:worker', '--max-job-count=2'], {cwd: site.root});
  await expect(worker).rejects.toMatchObject({code: 111, stdout: expect.stringContaining(`Job ${job.id} `)});
});
