import {mkdir, utimes, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, test} from 'vitest';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {connectServers, type GearmanServer} from '../../src/gearman/server.ts';
import {hostCommands} from '../../src/host-commands.ts';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  startWorker,
  submitBackground,
  submitJob,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';

const CLASSES = ['arFindingAidJob', 'arFileImportJob'];

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(
  workerTypes: readonly string[] = CLASSES,
): Promise<{site: AtomSite; gearmand: GearmanProcess}> {
  const gearmand = await startGearmand();
  ends.push(() => gearmand.kill());
  const site = await createSite({gearman: [gearmand.endpoint], workerTypes: {general: workerTypes}});
  ends.push(() => site.drop());
  return {site, gearmand};
}

async function work(site: AtomSite, args: string[] = []): Promise<WorkerProcess> {
  const worker = await startWorker(site, args);
  ends.push(() => worker.kill());
  return worker;
}

const hourAgo = (site: AtomSite) =>
  createSiteTime(site.timezone, process.env).toWall(new Date(Date.now() - 3_600_000));

/** One verdict: queue:status as JSON, text, plugin line and metrics, each with its exit status, and doctor. */
async function everyFormat(site: AtomSite, check: string) {
  const atomctl = (...args: string[]) => runAtomctl(args, {env: site.env});
  const [json, text, nagios, prometheus, doctor] = await Promise.all([
    atomctl('queue:status', '--json'),
    atomctl('queue:status'),
    atomctl('queue:status', '--nagios'),
    atomctl('queue:status', '--prometheus'),
    atomctl('doctor', '--json', '--check', check),
  ]);
  const {status, problems} = JSON.parse(json.stdout);
  const {findings} = JSON.parse(doctor.stdout);
  return {
    codes: [json.code, text.code, nagios.code, prometheus.code],
    doctorCode: doctor.code,
    status,
    problems,
    text: text.stdout,
    nagios: nagios.stdout,
    prometheus: prometheus.stdout,
    finding: findings[0],
  };
}

describe('queue:status and doctor', () => {
  test('T15: a lost job of a day ago is a warning in every format', async () => {
    const {site} = await start();
    await work(site);
    const id = await site.insertJob({name: 'arFindingAidJob', status: 'running'});
    const seen = await everyFormat(site, 'lost-jobs');
    const message = `1 job is lost: ${id} (arFindingAidJob).`;
    expect([seen.status, seen.codes]).toEqual(['warning', [1, 1, 1, 1]]);
    expect(seen.problems).toEqual([{state: 'warning', message, remedy: 'atomctl doctor --fix'}]);
    expect(seen.text).toContain(`Status: warning\n  warning: ${message}\n    Fix: atomctl doctor --fix\n`);
    expect(seen.nagios).toContain(`ATOM QUEUE WARNING: ${message} [atomctl doctor --fix] | `);
    expect(seen.prometheus).toContain('atom_queue_healthy 0\n');
    expect(seen.prometheus).toContain('atom_queue_problems{state="warning"} 1\n');
    expect([seen.finding.state, seen.doctorCode]).toEqual(['warning', 1]);

    const unasked = await runAtomctl(['queue:status', '--no-database'], {env: site.env});
    expect([unasked.code, unasked.stdout]).toEqual([0, expect.stringMatching(/^Status: ok/)]);
    const excluded = await runAtomctl(['queue:status', '--exclude', 'arFindingAidJob'], {env: site.env});
    expect(excluded.code).toBe(0);
  });

  test('T15: a finished job whose row was not saved is a warning', async () => {
    const {site} = await start();
    await work(site);
    const id = await site.insertJob({status: 'running'});
    const line = (message: string) =>
      `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${message}\n`;
    const log = line('Job started.') + line('Job finished.');
    await site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
    const seen = await everyFormat(site, 'finished-jobs');
    expect([seen.finding.state, seen.doctorCode]).toEqual(['warning', 1]);
    expect([seen.status, seen.codes]).toEqual(['warning', [1, 1, 1, 1]]);
    expect(seen.nagios).toMatch(/WARNING: 1 job has finished, but the database says running: /);
    // The log has no parameters: AtoM before 2.7.
    const remedy = `atomctl jobs:show ${id}, then atomctl jobs:mark ${id} --as completed or --as error`;
    expect([seen.problems[0].remedy, seen.finding.remedy]).toEqual([remedy, remedy]);
    expect(seen.finding.evidence).toContain(
      `The log of ${id} does not have the job's parameters, as before AtoM 2.7, which does not mark error lines: read it to see if the work failed.`,
    );
  });

  test('T13: two jobs wait although a worker that is stopped can run them', async () => {
    const {site} = await start();
    const worker = await work(site);
    ends.push(() => process.kill(worker.pid, 'SIGCONT'));
    process.kill(worker.pid, 'SIGSTOP');
    for (let count = 0; count < 2; count += 1) await submitJob(site, {startedAt: hourAgo(site)});
    const seen = await everyFormat(site, 'stalled-workers');
    expect([seen.finding.state, seen.doctorCode]).toEqual(['warning', 1]);
    const message = new RegExp(
      `^2 jobs have waited since \\S+ \\S+ \\(arFindingAidJob\\) although pid_${worker.pid}_\\w+ can run them and executes nothing; process ${worker.pid} is stopped`,
    );
    expect([seen.status, seen.codes]).toEqual(['warning', [1, 1, 1, 1]]);
    expect(seen.problems).toEqual([
      {state: 'warning', message: expect.stringMatching(message), remedy: `kill -CONT ${worker.pid}`},
    ]);
    expect(seen.finding).toMatchObject({
      id: 'stalled-workers',
      state: 'warning',
      evidence: expect.stringMatching(message),
      remedy: `kill -CONT ${worker.pid}`,
    });

    process.kill(worker.pid, 'SIGCONT');
    const healthy = await runAtomctl(['queue:status', '--wait', '30'], {env: site.env});
    expect([healthy.code, healthy.stdout]).toEqual([0, expect.stringMatching(/^Status: ok/)]);
  });

  test('T13: two jobs wait although a connection without a process can run them', async () => {
    const {site, gearmand} = await start(['arFindingAidJob']);
    const connection = await connectGearman(gearmand.endpoint);
    ends.push(() => connection.close());
    connection.send(TYPE.SET_CLIENT_ID, 'pid_3999999_65fa');
    connection.send(TYPE.CAN_DO, site.functionName('arFindingAidJob'));
    for (let count = 0; count < 2; count += 1) await submitJob(site, {startedAt: hourAgo(site)});
    const seen = await everyFormat(site, 'stalled-workers');
    expect([seen.status, seen.codes]).toEqual(['warning', [1, 1, 1, 1]]);
    expect(seen.nagios).toMatch(
      /WARNING: 2 jobs have waited .* although pid_3999999_65fa can run them and executes nothing; there is no process 3999999 on this host/,
    );
    expect(seen.finding.evidence).toContain('there is no process 3999999 on this host');
  });

  test('T14: jobs in Gearman without a row, with the likely causes', async () => {
    const {site, gearmand} = await start();
    await work(site, ['--abilities=arFileImportJob']);
    const name = site.functionName('arFindingAidJob');
    for (let count = 0; count < 400; count += 1)
      await submitBackground(gearmand.endpoint, name, `k${count}`, `{"id":"${900_000 + count}"}`);
    const seen = await everyFormat(site, 'jobs-without-rows');
    const message = 'Gearman has 400 jobs of arFindingAidJob for which the database has no running row.';
    expect(seen.problems.map((problem: {message: string}) => problem.message)).toEqual([
      'arFindingAidJob has no worker.',
      message,
    ]);
    expect(seen.finding).toMatchObject({
      state: 'warning',
      evidence: message,
      consequence: expect.stringMatching(
        /jobs:clear does not change the queue.*another site uses the same function prefix/,
      ),
    });

    const command = /atomctl (jobs:clear --all-queued .*)$/.exec(seen.finding.remedy)![1]!;
    const ids = [await site.insertJob({status: 'completed'}), await site.insertJob({status: 'error'})];
    const asked = await runAtomctl([...command.split(' '), '--dry-run', '--json'], {env: site.env});
    expect(JSON.parse(asked.stdout)).toMatchObject({cleared: 0, queueWithoutRow: 400});
    const removed = await runAtomctl([...command.split(' '), '--yes', '--json'], {env: site.env});
    expect([removed.code, removed.stderr]).toEqual([0, '']);
    expect(JSON.parse(removed.stdout)).toMatchObject({cleared: 0, queueRemoved: 400});
    const rows = await site.query('SELECT id FROM job ORDER BY id');
    expect(rows.map(({id}: {id: number}) => id)).toEqual(ids);
  });

  test('a cancelled job that waits is not a problem, and both say that the counts have it', async () => {
    const {site, gearmand} = await start();
    const handle = await submitBackground(gearmand.endpoint, site.functionName('arFindingAidJob'), 'k', '{}');
    const [connection] = await connectServers([gearmand.address], {timeoutSeconds: 5});
    const {server} = connection as {server: GearmanServer};
    await server.cancel(handle);
    server.close();
    const {finding, problems, text} = await everyFormat(site, 'jobs-without-rows');
    expect(problems.map(({message}: {message: string}) => message)).toEqual([
      expect.stringMatching(/^No worker of this site/),
    ]);
    expect([finding.state, finding.evidence]).toEqual([
      'ok',
      'In no queue of this site are there more jobs than running rows in the database, except for 1 cancelled job that gearmand removes when a worker asks for work.',
    ]);
    expect(text).toMatch(
      /^arFindingAidJob +1 +0 +0\n\n1 of the queued jobs is cancelled: gearmand removes it /m,
    );
  });

  test('the oldest job, which is also the one that waits longest, has one age, although the jobs without rows are looked at twice', async () => {
    const {site, gearmand} = await start();
    const {id} = await submitJob(site);
    const created = createSiteTime(site.timezone, process.env).toWall(new Date());
    await site.query('UPDATE object SET created_at = ? WHERE id = ?', [created, id]);
    for (const key of ['one', 'two'])
      await submitBackground(gearmand.endpoint, site.functionName('arFindingAidJob'), key, '{"id":"900001"}');
    const {stdout} = await runAtomctl(['queue:status'], {env: site.env});
    expect(stdout).toContain('Gearman has 2 jobs of arFindingAidJob');
    expect(stdout).toMatch(
      /^Running in the database: 1, the oldest for (.+); one has waited for a worker for \1$/m,
    );
  });

  test('jobs under a prefix that no worker serves, with the command that shows them', async () => {
    const {site, gearmand} = await start();
    await work(site);
    await submitBackground(gearmand.endpoint, `${'f'.repeat(32)}-arObjectMoveJob`, 'k', '{}');
    for (const args of [[], ['--no-database']]) {
      const {code, stdout} = await runAtomctl(['queue:status', '--json', ...args], {env: site.env});
      expect([code, JSON.parse(stdout).problems]).toEqual([
        1,
        [
          {
            state: 'warning',
            message: expect.stringMatching(
              /^1 job waits under the function prefix f{32}, which has no worker/,
            ),
            remedy: `atomctl queue:status --all-functions --function-prefix ${'f'.repeat(32)}`,
          },
        ],
      ]);
    }
  });

  test('T8: one job without a row and one row without a job: uncertain, likely queued, and never called not lost', async () => {
    const {site, gearmand} = await start();
    await submitBackground(gearmand.endpoint, site.functionName('arFindingAidJob'), 'k', '{"id":"900000"}');
    const id = await site.insertJob({name: 'arFindingAidJob', status: 'running'});
    const run = (...args: string[]) => runAtomctl(args, {env: site.env});
    const [list, table, show, doctor, probed] = [
      await run('jobs:list', '--json'),
      await run('jobs:list', '--columns', 'id,live'),
      await run('jobs:show', String(id)),
      await run('doctor', '--json', '--check', 'lost-jobs'),
      await run('jobs:list', '--json', '--probe'),
    ];
    const reason = /^It may be the job in its queue, but its log shows no parameters/;
    expect(JSON.parse(list.stdout).jobs).toEqual([
      expect.objectContaining({
        live: 'uncertain',
        likely: 'queued',
        liveReason: expect.stringMatching(reason),
      }),
    ]);
    expect(table.stdout).toMatch(new RegExp(`^ *${id} +queued\\?$`, 'm'));
    expect(show.stdout).toMatch(/^ {2}Status: +running, uncertain: .*; likely queued$/m);
    expect(show.stdout).toMatch(/^ {2}Why: +It may be the job in its queue, /m);
    const [{state, evidence}] = JSON.parse(doctor.stdout).findings;
    expect([state, evidence]).toEqual([
      'ok',
      expect.stringMatching(
        new RegExp(
          `1 uncertain .*${id} \\(arFindingAidJob\\), likely queued: It may be the job in its queue`,
        ),
      ),
    ]);
    expect(JSON.parse(probed.stdout).jobs).toEqual([expect.objectContaining({live: 'lost', likely: null})]);
  });

  test('T4: no worker on the second server is one sentence and a warning in both, and the fix clears a stale cache', async () => {
    const {site, gearmand} = await start();
    await work(site);
    const second = await startGearmand();
    ends.push(() => second.kill());
    const servers = ['--gearman', `${gearmand.endpoint},${second.endpoint}`];
    const seen = async () => {
      const [status, doctor] = await Promise.all(
        [['queue:status'], ['doctor', '--check', 'job-classes']].map((args) =>
          runAtomctl([...args, '--json', ...servers], {env: site.env}),
        ),
      );
      const [{problems}, {findings}] = [JSON.parse(status!.stdout), JSON.parse(doctor!.stdout)];
      const remedies = [...problems, ...findings].map(({remedy}: {remedy: string}) => remedy);
      return {problems, states: [problems[0].state, findings[0].state], remedies};
    };
    const fresh = await seen();
    expect(fresh.states).toEqual(['warning', 'warning']);
    expect(fresh.problems).toEqual([
      expect.objectContaining({
        message: `2 job classes have no worker on ${second.endpoint}: arFindingAidJob, arFileImportJob.`,
      }),
    ]);
    const {restartWorker, restartWorkerAfter} = hostCommands();
    expect(fresh.remedies).toEqual([restartWorker, restartWorker]);

    const cache = join(site.root, 'cache/qubit/worker/config/config_app.yml.php');
    await mkdir(dirname(cache), {recursive: true});
    await writeFile(cache, '');
    await utimes(cache, 1, 1);
    const clear = restartWorkerAfter(`cd ${site.root} && php symfony cc`);
    expect((await seen()).remedies).toEqual([clear, clear]);
  });

  test('T16: a plugin that is on, and a worker that lacks its class', async () => {
    const {site} = await start(['arFindingAidJob', 'qtSwordPluginWorker']);
    await work(site, ['--abilities=arFindingAidJob']);
    const off = await everyFormat(site, 'job-classes');
    expect([off.status, off.codes, off.finding.state]).toEqual(['ok', [0, 0, 0, 0], 'ok']);
    expect(off.text).not.toContain('Not checked');

    const unasked = await runAtomctl(['queue:status', '--no-database'], {env: site.env});
    expect([unasked.code, unasked.stdout]).toEqual([
      0,
      expect.stringMatching(/^Not checked for a worker: qtSwordPluginWorker, because/m),
    ]);

    await site.query(
      `UPDATE setting_i18n SET value = 'a:1:{i:0;s:13:"qtSwordPlugin";}' WHERE id = (SELECT id FROM setting WHERE name = 'plugins')`,
    );
    const on = await everyFormat(site, 'job-classes');
    expect([on.status, on.codes]).toEqual(['critical', [1, 1, 2, 1]]);
    expect(on.problems).toEqual([
      {
        state: 'critical',
        message: 'qtSwordPluginWorker has no worker.',
        remedy: hostCommands().restartWorker,
      },
    ]);
    expect(on.finding).toMatchObject({
      evidence: expect.stringContaining('no worker for qtSwordPluginWorker'),
    });
    expect(['ok', 'skipped', 'warning']).not.toContain(on.finding.state);
  });

  test('T17: a completed job without an error note whose log has an error of the database', async () => {
    const {site} = await start();
    const id = await site.insertJob({status: 'completed'});
    const line = (message: string) =>
      `[info] [2026-03-04 13:05:01] Job ${id} "arFindingAidJob": ${message}\n`;
    const log = [
      line('Job started.'),
      line('SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded'),
      line('Job finished.'),
    ];
    await site.query('UPDATE job SET output = ? WHERE id = ?', [log.join(''), id]);
    const {stdout} = await runAtomctl(['doctor', '--json', '--check', 'failed-completed-jobs'], {
      env: site.env,
    });
    expect(JSON.parse(stdout).findings).toEqual([
      expect.objectContaining({
        state: 'warning',
        evidence: expect.stringMatching(
          new RegExp(`^1 completed job has errors in the log \\(of the newest 500 jobs\\): ${id}\\.$`),
        ),
        remedy: expect.stringMatching(
          `^To see them: atomctl jobs:show ${id}\\. The log of job ${id} has no parameters`,
        ),
      }),
    ]);
  });
});

test('a job that is executed between two snapshots is not a problem', async () => {
  const {site} = await start();
  await work(site);
  await submitJob(site, {startedAt: hourAgo(site), work: {seconds: 1}});
  await sleep(100);
  const {code, stdout} = await runAtomctl(['queue:status', '--json'], {env: site.env});
  expect([code, JSON.parse(stdout).problems]).toEqual([0, []]);
});
