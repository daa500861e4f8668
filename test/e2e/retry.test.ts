import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {type AddressInfo, connect, createServer} from 'node:net';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {insertLogged, retryAt} from '../support/jobs/retry-site.ts';
import {
  createScratch,
  runAtomctl,
  runOnTerminal,
  startAtomctl,
  startWorker,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {uploadCsv} from '../support/servers/submit-job.ts';
import {insertLost} from '../support/site/queue-site.ts';
import {useQueueSite} from '../support/site/use-queue-site.ts';
import {everyTable} from '../support/site/whole-site.ts';

const {gearmand, at, workers} = await useQueueSite();

async function work(): Promise<WorkerProcess> {
  const worker = await startWorker(at.site, ['--abilities=arFindingAidJob,arFileImportJob']);
  workers.push(worker);
  return worker;
}

const retry = (...args: (string | number)[]) =>
  runAtomctl(['jobs:retry', ...args.map(String)], {env: {...at.site.env, SUDO_USER: ''}});

const newestId = async () => (await at.site.query('SELECT MAX(id) AS id FROM job'))[0].id as number;

test('a failed job: JSON, exit 0, an audit line, and jobs:show of it named the command', async () => {
  await work();
  const id = await insertLogged(at.site);
  const shown = await runAtomctl(['jobs:show', String(id)], {env: at.site.env});
  expect(shown.stdout).toContain(`  Run again:     atomctl jobs:retry ${id}\n`);
  const log = join(createScratch('retry'), 'audit.log');
  const {code, stdout, stderr} = await retry(id, '--yes', '--json', '--reason', 'fixed', '--audit-log', log);
  const newId = await newestId();
  const message = `Job ${id} was started again as job ${newId}, on ${gearmand.endpoint}.`;
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({retried: [{id, newId, action: 'submitted', message}]});
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({
    command: 'jobs:retry',
    what: {job: id, retry: newId, reason: 'fixed'},
    result: {action: 'submitted', message},
  });
});

test('--dry-run touches nothing and says what would be done; without a terminal it asks nothing', async () => {
  await work();
  const [id, upload] = [await insertLogged(at.site), await uploadCsv(at.site)];
  const anImport = await insertLogged(at.site, {name: 'arFileImportJob', parameters: upload, objectId: null});
  const before = await everyTable(at.site);
  const text = await retry(id, anImport, 999_999, '--dry-run');
  expect([text.code, text.stdout, text.stderr]).toEqual([
    1,
    `${id} (arFindingAidJob): to run again. It generates the finding aid again, in place of the old one.\n` +
      `${anImport} (arFileImportJob): refused. It imports again from the beginning: records that an earlier run imported would exist ` +
      `twice. To run it again anyway: atomctl jobs:retry ${anImport} --force\n` +
      '999999: refused. There is no job 999999.\n',
    '',
  ]);
  const json = JSON.parse((await retry(anImport, '--force', '--dry-run', '--json')).stdout);
  expect(json).toEqual({
    retried: [
      {
        ...{id: anImport, newId: null, action: 'submitted'},
        message:
          'It imports again from the beginning: records that an earlier run imported would exist twice.',
      },
    ],
    dryRun: true,
  });
  expect((await retry(anImport, '--dry-run')).code).toBe(5);
  expect(await everyTable(at.site)).toEqual(before);
  expect((await at.server.jobs()).length).toBe(0);
});

test('the plan is shown before the question, and declining changes nothing', async () => {
  await work();
  const id = await insertLogged(at.site);
  const before = await everyTable(at.site);
  const declined = await runOnTerminal(['jobs:retry', String(id)], {env: at.site.env, input: 'n\n'});
  expect(declined.code).toBe(5);
  expect(declined.screen).toMatch(
    /to run again[\s\S]*It generates[\s\S]*Are you sure you want to run job \d+ again\? \(y\/N\)/,
  );
  expect(await everyTable(at.site)).toEqual(before);
  const agreed = await runOnTerminal(['jobs:retry', String(id)], {env: at.site.env, input: 'y\n'});
  expect([agreed.code, agreed.screen]).toEqual([0, expect.stringMatching(/submitted/)]);
});

test('without a terminal and --yes it is a usage error; so are ids with filters, and neither', async () => {
  const runs = await Promise.all([
    retry(1),
    retry(1, '--failed', '--yes'),
    retry('--all-matching', '--yes'),
    retry(1, '--all-matching', '--failed', '--yes'),
    retry('--yes'),
  ]);
  expect(runs.map(({code, stderr}) => [code, stderr.split('.')[0]])).toEqual([
    [2, 'Error: Confirmation required, but stdin or stdout is not a terminal'],
    [2, 'Error: To retry jobs with filters, --all-matching is required'],
    [2, 'Error: --all-matching needs a filter'],
    [2, 'Error: Job ids and --all-matching cannot be used together'],
    [2, 'Error: No job id was given'],
  ]);
  expect((await retry(999_999, '--yes')).code).toBe(4);
});

test('--all-matching means failed jobs unless a status or a live state is named', async () => {
  await work();
  const failed = await insertLogged(at.site);
  const completed = await insertLogged(at.site, {status: 'completed'});
  const lost = await insertLost(at.site);
  const ids = async (...args: string[]) =>
    JSON.parse((await retry('--all-matching', ...args, '--dry-run', '--json')).stdout).retried.map(
      ({id}: {id: number}) => id,
    );
  expect(await ids('--name', 'arFindingAidJob')).toEqual([failed]);
  expect(await ids('--completed')).toEqual([completed]);
  expect(await ids('--live', 'lost', '--live', 'uncertain')).toEqual([lost]);
  expect(JSON.parse((await retry('--all-matching', '--name', 'none', '--yes', '--json')).stdout)).toEqual({
    retried: [],
  });
});

test('--wait ends with the new job: its exit status is that of jobs:wait', async () => {
  await work();
  const id = await insertLogged(at.site);
  const {code, stdout} = await retry(id, '--yes', '--wait');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+: submitted\. .*\nJob \d+: completed/)]);

  const parameters = {objectId: 512, uploadPath: join(at.site.root, 'symfony')};
  const failing = await insertLogged(at.site, {parameters});
  workers[0]!.killGroup();
  await workers.pop()!.ended;
  const worker = await work();
  process.kill(worker.pid, 'SIGSTOP');
  const run = startAtomctl(['jobs:retry', String(failing), '--yes', '--wait', '--json'], {env: at.site.env});
  await until(async () => (await newestId()) > failing);
  const newId = await newestId();
  await at.site.query('UPDATE job SET status_id = 185, completed_at = NOW() WHERE id = ?', [newId]);
  const {code: failedCode, stdout: json, stderr} = await run.ended;
  expect([failedCode, stderr]).toEqual([1, expect.stringContaining(`${failing}: submitted.`)]);
  expect(JSON.parse(json)).toMatchObject({
    retried: [{id: failing, newId, action: 'submitted'}],
    jobs: [{id: newId, status: 'error'}],
    deleted: [],
  });
  process.kill(worker.pid, 'SIGCONT');
});

test('of several retries at once one runs, and the others are refused', async () => {
  const worker = await work();
  process.kill(worker.pid, 'SIGSTOP');
  const id = await insertLogged(at.site);
  const args = ['jobs:retry', String(id), '--yes', '--json'];
  const runs = Array.from({length: 4}, () => startAtomctl(args, {env: at.site.env}));
  const codes = (await Promise.all(runs.map((run) => run.ended))).map(({code}) => code);
  expect(codes.sort()).toEqual([0, 5, 5, 5]);
  expect(await at.site.query("SELECT id FROM note_i18n WHERE content LIKE 'Retry of job %'")).toHaveLength(1);
  expect((await at.server.jobs()).length).toBe(1);
  process.kill(worker.pid, 'SIGCONT');
});

/** SUBMIT_JOB_BG of a client. */
const SUBMISSION = Buffer.from([0, 0x52, 0x45, 0x51, 0, 0, 0, 18]);

/** A way to gearmand on which something is done before the first request with these bytes passes. */
async function beforeRequest(
  bytes: Buffer | string,
  action: () => Promise<unknown>,
): Promise<{endpoint: string; close(): void}> {
  let done = false;
  const listener = createServer((client) => {
    const server = connect(gearmand.address.port, '127.0.0.1');
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
    server.pipe(client);
    client.on('data', async (chunk) => {
      if (chunk.includes(bytes) && !done) {
        done = true;
        await action();
      }
      server.write(chunk);
    });
  });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const {port} = listener.address() as AddressInfo;
  return {endpoint: `127.0.0.1:${port}`, close: () => listener.close()};
}

test('a job that another run has run again since the plan was shown is refused, also if that has ended', async () => {
  await work();
  const id = await insertLogged(at.site);
  let other: number | undefined;
  const proxy = await beforeRequest('workers', async () => {
    other = (await retryAt(at, [id])).first.newId!;
    await until(
      async () =>
        (await at.site.query('SELECT status_id FROM job WHERE id = ?', [other]))[0].status_id === 184,
    );
  });
  const {code, stdout} = await retry(id, '--yes', '--gearman', proxy.endpoint);
  proxy.close();
  expect([code, stdout]).toEqual([
    5,
    `${id}: refused. Job ${id} was run again meanwhile, as job ${other}. Nothing was done. To see it: atomctl jobs:show ${other}\n`,
  ]);
  expect(await newestId()).toBe(other);
});

test('Ctrl-C between the row and the Gearman job: that job is submitted, the rest is left, and a second run doubles nothing', async () => {
  const worker = await work();
  process.kill(worker.pid, 'SIGSTOP');
  const ids = [await insertLogged(at.site), await insertLogged(at.site)];
  const proxy = await beforeRequest(SUBMISSION, async () => {
    expect((await newestId()) > ids[1]!).toBe(true);
    run.child.kill('SIGINT');
    await until(() => run.stderr().includes('Interrupted'));
  });
  const args = ['jobs:retry', ...ids.map(String), '--yes', '--json', '--gearman', proxy.endpoint];
  const run = startAtomctl(args, {env: {...at.site.env, ATOMCTL_TIMEOUT: '20'}});
  const {code, stdout, stderr} = await run.ended;
  proxy.close();
  expect([code, stderr]).toEqual([
    130,
    expect.stringContaining('Interrupted: atomctl ends after the current step'),
  ]);
  const actions = (json: string) =>
    JSON.parse(json).retried.map(({id, action}: {id: number; action: string}) => [id, action]);
  expect(actions(stdout)).toEqual([
    [ids[0], 'submitted'],
    [ids[1], 'refused'],
  ]);
  const again = await retry(...ids, '--yes', '--json');
  expect([again.code, actions(again.stdout)]).toEqual([
    1,
    [
      [ids[0], 'refused'],
      [ids[1], 'submitted'],
    ],
  ]);
  process.kill(worker.pid, 'SIGCONT');
});

test('SIGKILL between the row and the Gearman job: a second run marks that row as an error and does the work once', async () => {
  const worker = await work();
  process.kill(worker.pid, 'SIGSTOP');
  const id = await insertLogged(at.site);
  const proxy = await beforeRequest(SUBMISSION, async () => {
    run.child.kill('SIGKILL');
    await run.ended;
  });
  const args = ['jobs:retry', String(id), '--yes', '--gearman', proxy.endpoint];
  const run = startAtomctl(args, {env: {...at.site.env, ATOMCTL_TIMEOUT: '20'}});
  expect((await run.ended).signal).toBe('SIGKILL');
  proxy.close();
  const left = await newestId();
  expect(left).toBeGreaterThan(id);
  const again = await retry(id, '--yes', '--json');
  const newId = await newestId();
  expect([again.code, JSON.parse(again.stdout).retried]).toMatchObject([
    0,
    [{id, newId, action: 'submitted'}],
  ]);
  const rows = await at.site.query('SELECT id, status_id FROM job WHERE id >= ? ORDER BY id', [left]);
  expect(rows).toEqual([
    {id: left, status_id: 185},
    {id: newId, status_id: 183},
  ]);
  expect(again.stderr).toContain('Checking again in 10 seconds');
  process.kill(worker.pid, 'SIGCONT');
  await until(async () => (await at.site.query('SELECT id FROM job WHERE status_id = 183')).length === 0);
});
