import {afterAll, beforeAll, expect, test} from 'vitest';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  runOnTerminal,
  startAtomctl,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  worker = await startWorker(site);
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

const wait = (...args: (string | number)[]) =>
  runAtomctl(['jobs:wait', ...args.map(String)], {env: site.env});
const remove = (id: number) => site.query('DELETE FROM object WHERE id = ?', [id]);

test('waits from submission to the end, and the exit status says how the job ended', async () => {
  const good = await submitJob(site, {work: {seconds: 1, lines: 2}});
  const bad = await submitJob(site, {work: {seconds: 1, error: 'no more'}});
  const [one, both, json] = await Promise.all([
    wait(good.id),
    wait(bad.id, good.id, '--interval', '0.2'),
    wait(good.id, bad.id, good.id, '--json'),
  ]);
  expect([one.code, both.code, json.code]).toEqual([0, 1, 1]);
  expect(one.stdout).toMatch(`Job ${good.id}: completed after `);
  expect(both.stdout.split('\n')).toEqual([
    expect.stringMatching(`^Job ${good.id}: completed after `),
    expect.stringMatching(`^Job ${bad.id}: error after `),
    '',
  ]);
  expect([one.stderr, both.stderr, json.stderr]).toEqual(['', '', '']);
  expect(JSON.parse(json.stdout)).toEqual({
    jobs: [
      expect.objectContaining({id: good.id, status: 'completed', live: null}),
      expect.objectContaining({id: bad.id, status: 'error', finishedAt: expect.any(String)}),
    ],
    timeOver: false,
    deleted: [],
  });
});

test('waits only for the start with --until started', async () => {
  const {id} = await submitJob(site, {work: {seconds: 2}});
  const {id: next} = await submitJob(site);
  const started = await wait(id, '--until', 'started', '--json');
  expect(started.code).toBe(0);
  expect(JSON.parse(started.stdout).jobs[0]).toMatchObject({status: 'running', live: 'executing'});
  expect((await wait(next, '--until', 'started')).code).toBe(0);
});

test('after --max-wait: exit 124, with the state of the jobs', async () => {
  const {id} = await submitJob(site, {work: {seconds: 4}});
  const json = await wait(id, '--max-wait', '0.2', '--json');
  expect(json.code).toBe(124);
  expect(JSON.parse(json.stdout)).toMatchObject({jobs: [{id, status: 'running'}], timeOver: true});
  expect(json.stderr).toContain(`Timed out; still unfinished: ${id}`);
});

test('lost, deleted and unknown jobs, a missing id and a missing server end the wait', async () => {
  const lost = await site.insertJob({status: 'running'});
  const deleted = await site.insertJob({status: 'running', startedAt: '2099-01-01 00:00:00'});
  const waiting = startAtomctl(['jobs:wait', `${deleted}`, '--interval', '0.1'], {env: site.env});
  const found = await wait(lost, deleted);
  expect([found.code, found.stdout]).toEqual([
    1,
    expect.stringMatching(`^Job ${lost}: running for .*, lost: no`),
  ]);
  expect(found.stderr).toContain(`atomctl jobs:kill ${lost}`);

  await remove(deleted);
  const gone = await waiting.ended;
  expect([gone.code, gone.stdout]).toEqual([1, expect.stringMatching(`^Job ${deleted}: deleted meanwhile`)]);

  const [unknown, none, bad, down] = await Promise.all([
    wait(lost, 99_999_999, '--json'),
    wait(),
    wait(lost, '--until', 'never'),
    wait(lost, '--database-url', 'mysql://a:b@127.0.0.1:9/atom'),
  ]);
  expect([unknown.code, none.code, bad.code, down.code]).toEqual([4, 2, 2, 3]);
  expect(JSON.parse(unknown.stdout).error.code).toBe('NO_SUCH_JOB');
});

test('Ctrl-C: 130, one sentence, and the job goes on', async () => {
  const {id} = await submitJob(site, {work: {seconds: 3}});
  const waiting = startAtomctl(['jobs:wait', `${id}`, '--until', 'finished'], {env: site.env});
  await until(
    async () =>
      (await site.query('SELECT id FROM information_schema.processlist WHERE db = DATABASE()')).length > 2,
  );
  await until(() => worker.started().includes(id));
  waiting.child.kill('SIGINT');
  const {code, stdout, stderr} = await waiting.ended;
  expect([code, stdout, stderr]).toEqual([130, '', 'Error: Interrupted while waiting. The jobs continue.\n']);
  expect(await site.query('SELECT status_id FROM job WHERE id = ?', [id])).toEqual([{status_id: 183}]);
});

test('on a terminal a line shows the states, and is erased at the end', async () => {
  const {id} = await submitJob(site, {work: {seconds: 2}});
  const {code, screen} = await runOnTerminal(['jobs:wait', `${id}`], {env: site.env, columns: 60});
  expect(code).toBe(0);
  expect(screen).toMatch(/\rWaiting for one job: 1 (executing|queued)\u001b\[K/);
  expect(screen).toMatch(new RegExp(`\\r\u001b\\[KJob ${id}: [^\r]*completed[^\r]* after .+\n$`));
  const quiet = await runOnTerminal(['jobs:wait', `${id}`, '-q'], {env: site.env});
  expect(quiet.screen).not.toContain('Waiting');
});
