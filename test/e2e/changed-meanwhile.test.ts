/** Jobs that change after a plan was shown: what is done is what the question said, never more. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {askOnTerminal} from '../support/atomctl/ask-on-terminal.ts';
import {insertLogged} from '../support/jobs/retry-site.ts';
import {createScratch, runAtomctl, startWorker, until} from '../support/sandbox.ts';
import {startHookedProxy} from '../support/servers/hooked-proxy.ts';
import {crash, executeJob, handedOut, insertLost, submitJobs} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';

const {at, workers} = await useQueueSite();

const statusOf = async (id: number) =>
  (await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]))[0]?.status_id;

/** As its worker ends it: out of Gearman, and its row saved. */
async function complete(id: number): Promise<void> {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  await handedOut(at.site);
  await at.site.query("UPDATE job SET status_id = 184, completed_at = '2026-03-04 14:00:00' WHERE id = ?", [
    id,
  ]);
}

/** The site's database, whose connection a test may hook. */
async function throughProxy(hook: Parameters<typeof startHookedProxy>[1]) {
  const {hostname, port, pathname, username, password} = new URL(at.site.databaseUrl);
  const proxy = await startHookedProxy(Number(port), hook);
  onTestFinished(() => proxy.close());
  return `mysql://${username}:${password}@${hostname}:${proxy.port}${pathname}`;
}

test('jobs:mark reads once if each job is refused: one that ends right after is not marked', async () => {
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  let reads = 0;
  const url = await throughProxy((request) => {
    if (!request.includes(`job.id IN (${id})`) || ++reads !== 2) return undefined;
    return complete(id);
  });
  const log = join(createScratch('audit'), 'log');
  const args = ['jobs:mark', String(id), '--as', 'error', '--yes', '--database-url', url, '--audit-log', log];
  const {code, stdout} = await runAtomctl(args, {env: at.site.env});
  expect([code, stdout, reads]).toEqual([5, expect.stringContaining(`Job ${id} is executing.`), 1]);
  expect(await statusOf(id)).toBe(183);
  expect(() => readFileSync(log)).toThrow();
});

test.each([
  ['jobs:kill', '--all-matching', '--running', '--delete'],
  ['jobs:kill', '--all-matching', '--live', 'lost', '--delete'],
  ['jobs:kill', '--all-matching', '--running', '--delete', '--force'],
  ['jobs:retry', '--all-matching', '--live', 'lost'],
])(
  '%s leaves a job alone that its filters chose and that ends before it is read again: %s %s %s',
  async (...args) => {
    const id = await insertLost(at.site, '{"id":1}');
    let reads = 0;
    const url = await throughProxy((request) => {
      // A filter by live state reads the job's row once.
      if (!/\bjob\.id IN \(/.test(request) || ++reads !== (args.includes('--live') ? 2 : 1)) return undefined;
      return complete(id);
    });
    const {code, stdout} = await runAtomctl([...args, '--yes', '--database-url', url], {env: at.site.env});
    expect([code, stdout]).toEqual([
      5,
      expect.stringMatching(
        new RegExp(`Job ${id} changed meanwhile: it was (running|lost) and is (completed|ended) now\\.`),
      ),
    ]);
    expect([reads, await statusOf(id)]).toEqual([expect.any(Number), 184]);
    expect(reads).toBeGreaterThan(0);
  },
);

test.each([
  ['--running while the servers were asked', ['--running'], 'AS finished_head'],
  ['--live executing before its row was read', ['--live', 'executing'], 'job.id IN ('],
])('jobs:list leaves a job out that ended: %s', async (_, filter, query) => {
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  let reads = 0;
  const url = await throughProxy((request) =>
    request.includes(query) && ++reads === 1 ? complete(id) : undefined,
  );
  const args = ['jobs:list', ...filter, '--columns', 'id,status,live', '--database-url', url];
  const {code, stdout, stderr} = await runAtomctl(args, {env: at.site.env});
  expect([code, stdout, reads]).toEqual([0, expect.not.stringContaining(String(id)), expect.any(Number)]);
  expect(stderr).not.toContain('completed');
  expect([reads > 0, await statusOf(id)]).toEqual([true, 184]);
});

const ask = (...args: (string | number)[]) => askOnTerminal(args.map(String), at.site.env);

test('jobs:kill leaves a job alone that the question refused, whatever became of it meanwhile', async () => {
  const {id: executing, unique, worker} = await executeJob(at.site);
  workers.push(worker);
  const [queued] = await submitJobs(at, 1);
  const answer = await ask('jobs:kill', queued!, executing);
  await crash(worker, unique, at.server);
  const {code, screen} = await answer('y');
  expect([code, screen]).toEqual([
    1,
    expect.stringContaining(`${executing}: refused (was executing). Job ${executing} is executing, and`),
  ]);
  expect([await statusOf(queued!), await statusOf(executing)]).toEqual([185, 183]);
  expect(await handedOut(at.site)).toEqual([executing]);
});

const CHANGED = 'changed meanwhile: it was running and is completed now';

async function execute(): Promise<number> {
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  return id;
}

test.each<[string, () => Promise<number>, string]>([
  ['an executing job', execute, 'is executing, and'],
  ['a queued job', async () => (await submitJobs(at, 1))[0]!, CHANGED],
  ['a lost job', () => insertLost(at.site), CHANGED],
  [
    'a failed job',
    () => at.site.insertJob({status: 'error'}),
    'changed meanwhile: it was error and is completed now',
  ],
])('jobs:kill --delete keeps the history of %s that ends well during the question', async (_, begin, why) => {
  const id = await begin();
  const failed = await at.site.insertJob({status: 'error'});
  const answer = await ask('jobs:kill', failed, id, '--delete');
  await complete(id);
  const {code, screen} = await answer('y');
  expect(screen).toContain(`Job ${id} ${why}`);
  expect([code, await statusOf(id), await statusOf(failed)]).toEqual([1, 184, undefined]);
});

const writeToLog = async (id: number) => {
  const line = `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": Going on.\n`;
  await at.site.query('UPDATE job SET output = CONCAT(output, ?) WHERE id = ?', [line, id]);
};

test.each<[string, () => Promise<number>, (id: number) => Promise<void>, string, number]>([
  ['an executing job that ends', execute, complete, 'is executing.', 184],
  ['a lost job that ends', () => insertLost(at.site), complete, CHANGED, 184],
  [
    'a lost job whose log grows',
    () => insertLost(at.site, '{"id":1}'),
    writeToLog,
    'changed meanwhile: a worker wrote to its log',
    183,
  ],
])('jobs:mark leaves %s during the question', async (_, begin, change, why, status) => {
  const id = await begin();
  const completed = await at.site.insertJob({status: 'completed'});
  const answer = await ask('jobs:mark', completed, id, '--as', 'error');
  await change(id);
  const {code, screen} = await answer('y');
  expect(screen).toContain(`Job ${id} ${why}`);
  expect([code, await statusOf(id), await statusOf(completed)]).toEqual([1, status, 185]);
});

test('doctor --fix marks the jobs that its question named, and none that is lost since', async () => {
  const ids = [await insertLost(at.site), await insertLost(at.site)];
  const answer = await ask('doctor', '--fix', '--check', 'lost-jobs');
  await complete(ids[0]!);
  const since = await insertLost(at.site);
  const {code, screen} = await answer('y');
  expect([code, screen]).toEqual([1, expect.stringContaining('1 lost job marked as an error.')]);
  expect(await Promise.all([...ids, since].map(statusOf))).toEqual([184, 185, 183]);
});

test('jobs:retry runs no job again that ended well during the question, or came then', async () => {
  workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob']));
  const [failed, corrected] = [await insertLogged(at.site), await insertLogged(at.site)];
  const coming = corrected + 1;
  const answer = await ask('jobs:retry', corrected, coming, failed);
  await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [corrected]);
  expect(await insertLogged(at.site)).toBe(coming);
  const {code, screen} = await answer('y');
  expect([code, screen]).toEqual([
    1,
    expect.stringMatching(
      `Job ${corrected} changed meanwhile: it was error and is completed now.*\n.*There is no job ${coming}\\.\n.*Job ${failed} was started again as job`,
    ),
  ]);
});

test('queue:restore submits the jobs that its question named, and none that is forgotten since', async () => {
  const [forgotten] = await submitJobs(at, 1);
  const [waiting] = await submitJobs(at, 1, 'arExportJob');
  const file = join(createScratch('copy'), 'queue.json');
  expect((await runAtomctl(['queue:save', file], {env: at.site.env})).code).toBe(0);
  expect(await handedOut(at.site)).toEqual([forgotten]);
  const answer = await ask('queue:restore', file);
  expect(await handedOut(at.site, 'arExportJob')).toEqual([waiting]);
  const {code, screen} = await answer('y');
  expect([code, screen]).toEqual([1, expect.stringContaining('this was not so before the question')]);
  const again = await runAtomctl(['queue:restore', file, '--yes'], {env: at.site.env});
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('1 submitted again')]);
  expect(await handedOut(at.site)).toEqual([forgotten]);
  expect(await handedOut(at.site, 'arExportJob')).toEqual([waiting]);
});
