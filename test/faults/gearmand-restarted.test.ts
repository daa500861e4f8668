import {once} from 'node:events';
import {type AddressInfo, connect, createServer} from 'node:net';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {readProcesses} from '../../src/processes/read-processes.ts';
import {
  createScratch,
  freePort,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  startWorker,
  submitJob,
  until,
} from '../support/sandbox.ts';
import {createQueueSite, executeJob, handedOut, type QueueSite} from '../support/site/queue-site.ts';

/** JOB_ASSIGN_UNIQ, by which the server hands a job out: from here on atomctl holds it. */
const HANDED_OUT = Buffer.from([0, 0x52, 0x45, 0x53, 0, 0, 0, 31]);

interface Restarting {
  at: QueueSite;
  /** Five queued jobs. */
  ids: number[];
  /** atomctl's arguments for the way on which gearmand ends as soon as it has handed out a job. */
  through: string[];
  /** Waits until gearmand has ended that way and starts it again. */
  restart(): Promise<void>;
}

async function createRestarting(args: readonly string[]): Promise<Restarting> {
  const port = await freePort();
  let gearmand: GearmanProcess = await startGearmand(args, {port});
  const at = await createQueueSite(gearmand);
  const ids: number[] = [];
  for (let count = 0; count < 5; count++) ids.push((await submitJob(at.site)).id);

  let ended: Promise<unknown> | undefined;
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
    client.pipe(server);
    server.on('data', (chunk) => {
      client.write(chunk);
      if (chunk.includes(HANDED_OUT)) ended ??= gearmand.kill();
    });
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    proxy.close();
    await at.drop();
    await gearmand.kill();
  });
  const {port: proxyPort} = proxy.address() as AddressInfo;
  async function restart(): Promise<void> {
    expect(ended).toBeDefined();
    await ended;
    gearmand = await startGearmand(args, {port});
  }
  return {at, ids, through: ['--gearman', `127.0.0.1:${proxyPort}`], restart};
}

const statuses = async ({site}: QueueSite) =>
  (await site.query('SELECT status_id FROM job ORDER BY id')).map(({status_id: status}) => status);
const RUNNING = [183, 183, 183, 183, 183];
const DIED = /cannot be reached|closed the connection|lost/;

test('gearmand dies under a probe: the list is still shown, nothing is called lost, the queue is whole', async () => {
  const database = join(createScratch('gearmand'), 'queue.db');
  const {at, ids, through, restart} = await createRestarting([
    '--queue-type=libsqlite3',
    `--libsqlite3-db=${database}`,
  ]);
  const list = await runAtomctl(['jobs:list', '--probe', '--json', ...through], {env: at.site.env});
  expect([list.code, list.stderr]).toEqual([0, expect.stringMatching(DIED)]);
  const {jobs} = JSON.parse(list.stdout) as {jobs: {live: string | null}[]};
  expect(jobs.map(({live}) => live)).toEqual(
    RUNNING.map(() => expect.stringMatching(/^(queued|uncertain)$/)),
  );
  await restart();
  expect((await handedOut(at.site)).toSorted()).toEqual(ids);
});

test('gearmand dies under a kill: the row is left as it is, no other job is lost, a second kill completes it', async () => {
  const database = join(createScratch('gearmand'), 'queue.db');
  const {at, ids, through, restart} = await createRestarting([
    '--queue-type=libsqlite3',
    `--libsqlite3-db=${database}`,
  ]);
  const kill = ['jobs:kill', String(ids[2]), '--yes', '--json'];
  const first = await runAtomctl([...kill, ...through], {env: at.site.env});
  expect(first.code).toBe(5);
  expect(JSON.parse(first.stdout).killed).toEqual([
    {
      id: ids[2],
      was: expect.any(String),
      action: 'refused',
      gearman: 'remains',
      message: expect.stringMatching(DIED),
    },
  ]);
  expect(await statuses(at)).toEqual(RUNNING);
  await restart();
  const second = await runAtomctl(kill, {env: at.site.env});
  expect([second.code, JSON.parse(second.stdout).killed[0]]).toMatchObject([
    0,
    {was: 'queued', action: 'marked', gearman: 'removed'},
  ]);
  expect((await handedOut(at.site)).toSorted()).toEqual(ids.filter((id) => id !== ids[2]));
});

test('gearmand with its queue in memory dies under a kill: the jobs are lost with it, and are reported as lost', async () => {
  const {at, ids, through, restart} = await createRestarting([]);
  const kill = ['jobs:kill', String(ids[2]), '--yes', '--json'];
  expect((await runAtomctl([...kill, ...through], {env: at.site.env})).code).toBe(5);
  expect(await statuses(at)).toEqual(RUNNING);
  await restart();
  const {stdout} = await runAtomctl(['jobs:list', '--json'], {env: at.site.env});
  expect(JSON.parse(stdout).jobs.map(({live}: {live: string}) => live)).toEqual(RUNNING.map(() => 'lost'));
  const second = await runAtomctl(kill, {env: at.site.env});
  expect([second.code, JSON.parse(second.stdout).killed[0]]).toMatchObject([
    0,
    {was: 'lost', action: 'marked'},
  ]);
});

test('gearmand dies during a clear: it is reported, the rows are deleted, and a second clear takes what is left in the queue', async () => {
  const database = join(createScratch('gearmand'), 'queue.db');
  const {at, ids, through, restart} = await createRestarting([
    '--queue-type=libsqlite3',
    `--libsqlite3-db=${database}`,
  ]);
  const {code, stdout, stderr} = await runAtomctl(['jobs:clear', '--yes', '--json', ...through], {
    env: at.site.env,
  });
  expect([code, JSON.parse(stdout)]).toMatchObject([1, {cleared: 5, queueRemoved: 0}]);
  expect(stderr).toMatch(/^Warning: Some or all Gearman jobs were not removed: [^\n]*\n$/);
  expect(await statuses(at)).toEqual([]);
  await restart();
  const again = await runAtomctl(['jobs:clear', '--yes', '--json', '--all-queued'], {env: at.site.env});
  expect(JSON.parse(again.stdout)).toMatchObject({cleared: 0, queueRemoved: ids.length});
  expect(await handedOut(at.site)).toEqual([]);
});

/** gearmand, restarted with nothing in its queue, and a job that has begun and that it does not know. */
async function restartEmpty(begin: (at: QueueSite) => Promise<number>): Promise<{at: QueueSite; id: number}> {
  const port = await freePort();
  let gearmand = await startGearmand([], {port});
  const at = await createQueueSite(gearmand);
  onTestFinished(async () => {
    await at.drop();
    await gearmand.kill();
  });
  const id = await begin(at);
  await gearmand.kill();
  gearmand = await startGearmand([], {port});
  return {at, id};
}

/** What the list calls the job, what a kill of it says, and what doctor --fix says that it fixed. */
async function treat({site}: QueueSite, id: number) {
  const run = async (...args: string[]) => {
    const {code, stdout} = await runAtomctl([...args, '--json'], {env: site.env});
    return {code, ...JSON.parse(stdout)};
  };
  const {jobs} = await run('jobs:list', '--running');
  const doctor = await run('doctor', '--fix', '--yes', '--check', 'lost-jobs', '--check', 'serial-jobs');
  const {code, killed} = await run('jobs:kill', String(id), '--yes');
  return {live: jobs[0].live, fixed: doctor.fixed, findings: doctor.findings, kill: {code, ...killed[0]}};
}

/** What is not proved is left alone, and so is what is executing. */
const NOT_LOST = expect.stringMatching(/^(executing|uncertain)$/);

test('gearmand with its queue in memory is restarted while a worker executes a job whose log grows: the job is left alone, and ends', async () => {
  const {at, id} = await restartEmpty(async ({site}) => {
    const job = await submitJob(site, {jobClass: 'arObjectMoveJob', work: {seconds: 60, lines: 60}});
    await startWorker(site, ['--abilities=arObjectMoveJob']);
    await until(async () => (await logOf(site, job.id)).includes('Step 2 of'));
    return job.id;
  });
  const before = await logOf(at.site, id);
  const {live, fixed, kill} = await treat(at, id);
  expect([live, fixed]).toEqual([NOT_LOST, []]);
  expect(kill).toMatchObject({code: 5, was: NOT_LOST, action: 'refused'});
  expect(await statuses(at)).toEqual([183]);
  await until(async () => (await logOf(at.site, id)).length > before.length);
});

test('the same with an import whose log is silent: left alone while its process lives, lost once it has ended', async () => {
  let worker: Awaited<ReturnType<typeof executeJob>>['worker'] | undefined;
  const {at, id} = await restartEmpty(async ({site}) => {
    const job = await executeJob(site, 'arFileImportJob');
    worker = job.worker;
    const imports = async () => (await readProcesses()).imports.some(({root}) => root === site.root);
    await until(imports);
    await worker.kill();
    await site.query(
      "UPDATE job SET output = REGEXP_REPLACE(output, '\\\\[20[^]]*\\\\]', '[2026-03-04 09:00:00]')",
    );
    return job.id;
  });
  const {live, fixed, kill} = await treat(at, id);
  expect([live, fixed]).toEqual([NOT_LOST, []]);
  expect(kill).toMatchObject({code: 5, was: NOT_LOST, action: 'refused'});
  expect(await statuses(at)).toEqual([183]);
  worker!.killGroup();
  await until(async () => !(await readProcesses()).imports.some(({root}) => root === at.site.root));
  expect(await treat(at, id)).toMatchObject({
    live: 'lost',
    fixed: [{id: 'lost-jobs', count: 1, error: null}],
  });
  expect(await statuses(at)).toEqual([185]);
});

async function logOf(site: QueueSite['site'], id: number): Promise<string> {
  const [row] = await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]);
  return row?.output ?? '';
}
