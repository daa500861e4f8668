import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test} from 'vitest';
import {connectServers, type GearmanServer} from '../../../../src/gearman/server.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {insertLogged, previewAt, retryAt} from '../../../support/jobs/retry-site.ts';
import {prefixesOf} from '../../../support/quiet-host.ts';
import {freePort, startWorker, submitJob, until} from '../../../support/sandbox.ts';
import {insertLost} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

/** A worker that can do the class that most jobs here have. */
beforeEach(async () => {
  at.workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob']));
});

async function refusal(id: number, options = {}): Promise<string> {
  const before = await rows();
  const {first, exit} = await retryAt(at, [id], options);
  expect([first.action, first.newId, exit]).toEqual(['refused', null, 5]);
  expect(await rows()).toEqual(before);
  expect((await previewAt(at, id, options)).message).toBe(first.message);
  return first.message;
}

/** All that a retry could change. */
async function rows(): Promise<unknown> {
  return at.site.query(
    `SELECT object.id, object.updated_at, job.status_id, job.completed_at,
            (SELECT COUNT(*) FROM note WHERE note.object_id = job.id) AS notes
     FROM job JOIN object USING (id) ORDER BY id`,
  );
}

test('an executing job is refused, also if its row was ended by hand', async () => {
  const {id} = await at.execute();
  expect(await refusal(id)).toMatch(new RegExp(`is executing\\. .*atomctl jobs:wait ${id}$`));
  await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
  expect(await refusal(id, {force: true})).toMatch(
    /has ended in the database, but .* assigned it to a worker\. Run the same command again when that worker is done with it\. To see it: atomctl queue:workers$/,
  );
});

test('a queued job is refused: a worker will run it', async () => {
  const {id, worker} = await at.execute();
  await Promise.all(at.workers.filter((each) => each !== worker).map((each) => each.kill()));
  await worker.kill();
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  expect(await refusal(id, {force: true})).toMatch(/is queued\. .* A worker will run it/);
});

test('a finished job is refused, with the command that corrects its row', async () => {
  const id = await insertLogged(at.site, {status: 'running'});
  expect(await refusal(id)).toContain(`atomctl jobs:mark ${id} --as completed`);
});

test('an uncertain job is refused, also with --force', async () => {
  const servers = await connectServers([{host: '127.0.0.1', port: await freePort()}], {timeoutSeconds: 1});
  const id = await insertLogged(at.site, {status: 'running', messages: []});
  const sources = {servers: [...at.sources.servers, ...servers]};
  expect(await refusal(id, {...sources, force: true})).toMatch(/is uncertain\. .*atomctl jobs:kill \d+$/);
});

test('an ended job is refused while a server does not answer, since it may have the job', async () => {
  const servers = await connectServers([{host: '127.0.0.1', port: await freePort()}], {timeoutSeconds: 1});
  const id = await insertLogged(at.site);
  expect(await refusal(id, {servers: [...at.sources.servers, ...servers]})).toMatch(
    /connection refused\. So atomctl does not know if Gearman still has job \d+\. Run the same command again after the server answers\.$/,
  );
});

test('a job whose cancelled entry is still in the server is refused, until a worker is free', async () => {
  const {id, unique, worker} = await at.execute();
  await Promise.all(at.workers.map((each) => each.kill()));
  expect(worker.exited()).toBe(true);
  await until(async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.running);
  expect((await at.kill([id])).first).toMatchObject({action: 'marked', gearman: 'removed'});
  const killed = await retryAt(at, [id]);
  expect(killed.first.message).toMatch(
    /still has job \d+, waiting or cancelled\. A free worker will run or remove it/,
  );

  at.workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob']));
  await until(async () => !(await at.server.statusOfUniqueKeys([unique]))[0]!.known);
  const {first} = await retryAt(at, [id]);
  expect(first.action).toBe('submitted');
  await until(async () => (await at.statusOf(first.newId!)) === 184);
});

test('without parameters in its log a job is refused: it never began, AtoM is older, or the log is cut', async () => {
  expect(await refusal(await insertLost(at.site))).toMatch(/never began, .* Start it again in AtoM: /);
  const older = await at.site.insertJob({
    status: 'error',
    output: '[info] [2026-03-04 13:05:01] Job 1 "x": Job started.\n',
  });
  expect(await refusal(older)).toMatch(/AtoM 2\.7 and later log them/);
  const cut = await insertLogged(at.site, {parameters: {objectId: 512, title: 'x'.repeat(200)}});
  await at.site.query('UPDATE job SET output = LEFT(output, 200) WHERE id = ?', [cut]);
  expect(await refusal(cut)).toMatch(/incomplete or cannot be read/);
});

test("parameters that are another job's are refused", async () => {
  const id = await insertLogged(at.site);
  await at.site.query(
    'UPDATE job SET output = REPLACE(output, CONCAT(\'"id":"\', id), \'"id":"1\') WHERE id = ?',
    [id],
  );
  expect(await refusal(id, {force: true})).toMatch(/not those of its row/);
});

test('a job whose class nothing tells is refused', async () => {
  const id = await insertLogged(at.site, {name: 'My plugin: nightly'});
  expect(await refusal(id, {force: true})).toMatch(
    /^The name and the parameters of job \d+ do not show its class\./,
  );
});

test('a job whose object was deleted is refused', async () => {
  await at.site.query(
    "INSERT INTO object (id, class_name, created_at, updated_at) VALUES (9000, 'QubitInformationObject', NOW(), NOW())",
  );
  const id = await insertLogged(at.site, {parameters: {objectId: '9000'}, objectId: 9000});
  expect((await previewAt(at, id)).action).toBe('submitted');
  await at.site.query('DELETE FROM object WHERE id = 9000');
  expect(await refusal(id, {force: true})).toMatch(/needs the object 9000, which was deleted\./);
});

test('a job whose upload is gone is refused, and one whose upload cannot be seen', async () => {
  const file = {name: 'a.csv', tmp_name: join(at.site.root, 'uploads/tmp/gone.csv')};
  const id = await insertLogged(at.site, {name: 'arValidateCsvJob', parameters: {file}});
  expect(await refusal(id)).toMatch(
    /reads the file \/.*gone\.csv, which is not on this host\. Upload it again/,
  );
  const nameless = await insertLogged(at.site, {name: 'arValidateCsvJob', parameters: {}});
  expect(await refusal(nameless)).toMatch(/have no file/);
  const empty = await insertLogged(at.site, {name: 'arValidateCsvJob', parameters: {file: {tmp_name: ''}}});
  expect(await refusal(empty)).toMatch(/have no file/);
  const hostile = {name: 'a.csv', tmp_name: 'x\u0000/etc/passwd'};
  const nul = await insertLogged(at.site, {
    name: 'arFileImportJob',
    parameters: {importType: 'csv', file: hostile},
  });
  expect(await refusal(nul, {force: true})).toMatch(/is not on this host/);
});

test("a file's name that is relative is looked for in the root, where AtoM's worker runs", async () => {
  mkdirSync(join(at.site.root, 'uploads/tmp/dip'), {recursive: true});
  const parameters = {objectId: 512, filename: 'uploads/tmp/dip'};
  const id = await insertLogged(at.site, {name: 'qtSwordPluginWorker', parameters});
  expect((await previewAt(at, id, {force: true})).message).toMatch(/^No connected worker/);
  expect((await previewAt(at, id, {force: true, root: null})).message).toMatch(/is not an absolute path/);
});

test('without a worker for the class, or without a prefix, a job is refused', async () => {
  const id = await insertLogged(at.site, {name: 'arGenerateReportJob'});
  expect(await refusal(id)).toBe(
    'No connected worker of this site runs arGenerateReportJob. To start the workers: atomctl worker:start --reset',
  );
  expect(await refusal(id, {prefixes: prefixesOf(null)})).toMatch(/function prefix is not known/);
});

test('another client that only claims the ability as a probe does is no worker', async () => {
  const {connectWorker} = await import('../../../../src/gearman/worker-connection.ts');
  const probe = await connectWorker(at.gearmand.address, {
    timeoutSeconds: 2,
    clientId: 'atomctl-probe-1234-1',
  });
  await probe.grab([at.site.functionName('arGenerateReportJob')]);
  const id = await insertLogged(at.site, {name: 'arGenerateReportJob'});
  expect(await refusal(id)).toMatch(/^No connected worker/);
  probe.close();
});

test('a second retry is refused while the first waits or runs, and possible once it has ended', async () => {
  const busy = await submitJob(at.site, {work: {seconds: 3}});
  await until(() => at.workers[0]!.started().includes(busy.id));
  const id = await insertLogged(at.site);
  const {first} = await retryAt(at, [id]);
  expect(first.action).toBe('submitted');
  expect(await refusal(id, {force: true})).toBe(
    `Job ${first.newId} does the same work as job ${id} and has not ended. To see it: atomctl jobs:show ${first.newId}`,
  );
  await until(async () => (await at.statusOf(first.newId!)) === 184);
  expect((await previewAt(at, id)).message).toBe(
    `Job ${id} was already run again, as job ${first.newId} (completed). It generates the finding aid again, in place of the old one.`,
  );
  const second = await retryAt(at, [id]);
  expect(second.first.action).toBe('submitted');
  await until(async () => (await at.statusOf(second.first.newId!)) === 184);
});

test('a retry of a retry keeps the first job from being run once more', async () => {
  const id = await insertLogged(at.site);
  const one = await retryAt(at, [id]);
  await until(async () => (await at.statusOf(one.first.newId!)) === 184);
  const busy = await submitJob(at.site, {work: {seconds: 3}});
  await until(() => at.workers[0]!.started().includes(busy.id));
  const two = await retryAt(at, [one.first.newId!]);
  expect(two.first.action).toBe('submitted');
  expect(await refusal(id)).toMatch(new RegExp(`^Job ${two.first.newId} does the same work as job ${id}`));
  await until(async () => (await at.statusOf(two.first.newId!)) === 184);
});

test('a job and its retry, named together, are run once', async () => {
  const id = await insertLogged(at.site);
  const {first} = await retryAt(at, [id]);
  await until(async () => (await at.statusOf(first.newId!)) === 184);
  const {retried} = await retryAt(at, [id, first.newId!]);
  expect(retried.map(({action}) => action)).toEqual(['refused', 'submitted']);
  expect(retried[0]!.message).toBe(
    `Job ${first.newId} does the same work as job ${id}, and both ids were given. To run it once: atomctl jobs:retry ${first.newId}`,
  );
  await until(async () => (await at.statusOf(retried[1]!.newId!)) === 184);
});

test('of several retries of one job, none is run beside another, and of those that are named one is', async () => {
  const id = await insertLogged(at.site);
  const retries: number[] = [];
  while (retries.length < 2) {
    const {newId} = (await retryAt(at, [id])).first;
    await until(async () => (await at.statusOf(newId!)) === 184);
    retries.push(newId!);
  }
  const [one, two] = retries as [number, number];
  expect(await refusal(one, {onceMore: false})).toMatch(
    `Job ${one} was already run again, as job ${two} (completed).`,
  );
  process.kill(at.workers[0]!.pid, 'SIGSTOP');
  const {retried} = await retryAt(at, [id, one, two]);
  expect(retried.map(({action}) => action)).toEqual(['refused', 'refused', 'submitted']);
  expect(retried[1]!.message).toMatch(
    `Job ${two} does the same work as job ${one}, and both ids were given.`,
  );
  const open = retried[2]!.newId!;
  expect(await refusal(one)).toMatch(`Job ${open} does the same work as job ${one} and has not ended.`);
  process.kill(at.workers[0]!.pid, 'SIGCONT');
  await until(async () => (await at.statusOf(open)) === 184);
});

test('a retry that never ran does not count as one, for filters neither', async () => {
  const id = await insertLogged(at.site);
  const [server] = at.sources.servers;
  const lost = {...at.sources, servers: [{...server!, server: unsending()}]};
  const {first} = await retryAt(at, [id], lost);
  expect(first).toMatchObject({
    action: 'failed',
    message: expect.stringMatching(/Run the same command again\.$/),
  });
  const {retried} = await retryAt(at, [id, first.newId!], {onceMore: false});
  expect(retried.map(({action}) => action)).toEqual(['submitted', 'refused']);
  await until(async () => (await at.statusOf(retried[0]!.newId!)) === 184);
});

/** The server, to which a submission gets lost. */
function unsending(): GearmanServer {
  return new Proxy(at.server, {
    get(target, name) {
      if (name === 'submitBackground') return async () => 'H:lost:1';
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('filters leave alone what was run again before, however that ended', async () => {
  const id = await insertLogged(at.site);
  const {first} = await retryAt(at, [id], {onceMore: false});
  await until(async () => (await at.statusOf(first.newId!)) === 184);
  expect(await refusal(id, {onceMore: false})).toBe(
    `Job ${id} was already run again, as job ${first.newId} (completed). To run it once more: atomctl jobs:retry ${id}`,
  );
});

test('a note that somebody wrote does not count as a retry', async () => {
  const other = await insertLogged(at.site, {status: 'running'});
  const id = await insertLogged(at.site, {
    notes: [{text: `Started again as job ${other} with atomctl by x`}],
  });
  expect((await previewAt(at, id)).action).toBe('submitted');
});

test('a job that does not exist is named, and the rest is done', async () => {
  const id = await insertLogged(at.site);
  const {retried, exit} = await retryAt(at, [999_999, id, id]);
  expect(retried.map(({id: each, action}) => [each, action])).toEqual([
    [999_999, 'refused'],
    [id, 'submitted'],
  ]);
  expect([exit, (await retryAt(at, [999_999])).exit]).toEqual([1, 4]);
  await until(async () => (await at.statusOf(retried[1]!.newId!)) === 184);
});
