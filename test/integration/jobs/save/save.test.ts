import {afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {PACKET, request} from '../../../../src/gearman/packet.ts';
import {connectServer} from '../../../../src/gearman/server.ts';
import {connectWorker} from '../../../../src/gearman/worker-connection.ts';
import {type RestoreOptions, restoreExitStatus, restoreJobs} from '../../../../src/jobs/save/restore.ts';
import {readWaitingJobs} from '../../../../src/jobs/save/save.ts';
import {readPayload} from '../../../../src/queue/payload.ts';
import {rePrefix} from '../../../../src/queue/saved/re-prefix.ts';
import type {SavedJob} from '../../../../src/queue/saved/saved-queue.ts';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {NO_WAIT} from '../../../support/quiet-host.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../../../support/sandbox.ts';
import {submitBackground} from '../../../support/servers/submit-job.ts';
import {
  createQueueSite,
  emptyQueueSite,
  handedOut,
  type QueueSite,
  sourcesOf,
  submitJobs,
} from '../../../support/site/queue-site.ts';

const PLAIN = 'arFindingAidJob';
const SERIAL = 'arFileImportJob';
/** What has to be shown for a long queue: QUEUE_SAVE_JOBS=5000. */
const MANY = Number(process.env.QUEUE_SAVE_JOBS ?? 40);

let gearmand: GearmanProcess;
let second: GearmanProcess;
let at: QueueSite;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  gearmand = await startGearmand();
  second = await startGearmand();
  at = await createQueueSite(gearmand);
});

afterEach(() => emptyQueueSite(at, workers));

afterAll(async () => {
  await at.drop();
  await Promise.all([gearmand.kill(), second.kill()]);
});

const signal = new AbortController().signal;

const save = (site: Pick<QueueSite, 'sources'> = at) => readWaitingJobs({...site.sources, signal});

function restore(
  jobs: readonly SavedJob[],
  more: Partial<RestoreOptions> = {},
  site: Pick<QueueSite, 'sources'> = at,
) {
  const recheck = {firstSeen: new Map<number, number>(), wait: NO_WAIT};
  const options = {...site.sources, jobs, origin: 'queue.json', to: null, rePrefix: false, recheck, signal};
  return restoreJobs({...options, wait: NO_WAIT, ...more});
}

const idsOf = (jobs: readonly SavedJob[]) => jobs.map(({payload}) => Number(JSON.parse(`${payload}`).id));
const actionsOf = ({jobs}: Awaited<ReturnType<typeof restore>>) => jobs.map(({action}) => action);

/** Kills gearmand, and starts another with an empty queue at the same port. */
async function restartGearmand(): Promise<void> {
  await gearmand.kill();
  gearmand = await startGearmand([], {port: gearmand.address.port});
}

/** Ends what waits, as if the server had forgotten it. */
const forget = async (jobClass = PLAIN) => void (await handedOut(at.site, jobClass));

async function runAll(): Promise<number[]> {
  const worker = await startWorker(at.site, [`--abilities=${PLAIN},${SERIAL}`]);
  workers.push(worker);
  const isEnded = async () =>
    (await at.site.query<{id: number}>('SELECT id FROM job WHERE status_id = 183')).length === 0;
  await until(isEnded);
  return worker.started();
}

describe('a copy of the queue', () => {
  it('leaves the queue as it is, and says how many retries that has counted', async () => {
    const plain = await submitJobs(at, 5);
    const serial = await submitJobs(at, 3, SERIAL);
    const {jobs, retriesAdded, warnings} = await save();
    expect(idsOf(jobs.filter((job) => job.function.endsWith(PLAIN)))).toEqual(plain);
    expect(idsOf(jobs.filter((job) => job.function.endsWith(SERIAL)))).toEqual(serial);
    expect([retriesAdded, warnings]).toEqual([1, []]);
    expect((await at.server.jobs()).map(({retries}) => retries)).toEqual(new Array(8).fill(1));
    expect([await handedOut(at.site), await handedOut(at.site, SERIAL)]).toEqual([plain, serial]);
  });

  it(`of ${MANY} jobs outlives gearmand: each runs once, in its order`, async () => {
    const ids = await submitJobs(at, MANY);
    const serial = await submitJobs(at, 3, SERIAL);
    const {jobs} = await save();
    await restartGearmand();
    expect((await at.server.status()).length).toBe(0);
    const restored = await restore(jobs);
    expect(new Set(actionsOf(restored))).toEqual(new Set(['submitted']));
    const started = await runAll();
    expect(started.filter((id) => ids.includes(id))).toEqual(ids);
    expect(started.filter((id) => serial.includes(id))).toEqual(serial);
    expect(started).toHaveLength(MANY + 3);
  });

  it('keeps priorities, and each payload byte for byte', async () => {
    const name = at.site.functionName(PLAIN);
    const ids: number[] = [];
    for (const priority of ['low', 'normal', 'high', 'normal', 'high'] as const) {
      const id = await at.site.insertJob({name: PLAIN, status: 'running'});
      const payload = Buffer.concat([
        Buffer.from(`{"id":"${id}","name":"${PLAIN}","objectId":`),
        Buffer.from('null}'),
      ]);
      const unique = uniqueKey(name, payload.toString())!;
      await at.server.submitBackground({function: name, unique, payload, priority});
      ids.push(id);
    }
    const binary = Buffer.from([0, 255, 0xe2, 0x28, 0xa1, 10, 0]);
    await at.server.submitBackground({function: name, unique: 'binary', payload: binary});
    const [low, normal, high, other, another] = ids;
    const {jobs} = await save();
    const rowOf = ({payload}: SavedJob) => readPayload(payload).jobId;
    expect(jobs.map((job) => [rowOf(job), job.priority])).toEqual([
      [high, 'high'],
      [another, 'high'],
      [normal, 'normal'],
      [other, 'normal'],
      [null, 'normal'],
      [low, 'low'],
    ]);
    expect(jobs.find(({unique}) => unique === 'binary')!.payload).toEqual(binary);
    await restartGearmand();
    await restore([...jobs].reverse());
    expect(await handedOut(at.site)).toEqual([another, high, other, normal, low]);
  });

  it('leaves out a job that AtoM did not submit, for which a restore would refuse the whole copy', async () => {
    const [id] = await submitJobs(at, 1);
    const name = at.site.functionName(PLAIN);
    await submitBackground(gearmand.endpoint, name, 'by hand', `{"id":"${id}","name":"${PLAIN}"}`);
    const {jobs, warnings} = await save();
    expect(idsOf(jobs)).toEqual([id]);
    expect(warnings).toEqual([
      expect.stringMatching(/is not in the copy.*a key that is not the one of its job\.$/),
    ]);
    expect(await handedOut(at.site)).toEqual([id, id]);
  });

  it('is made while a worker goes through the queue: no job is lost, none runs twice', async () => {
    const ids = await submitJobs(at, 60);
    const worker = await startWorker(at.site, [`--abilities=${PLAIN}`]);
    workers.push(worker);
    const running = async () => (await at.site.query('SELECT id FROM job WHERE status_id = 183')).length;
    const copies = [await save(), await save(), await save()];
    await until(async () => (await running()) === 0);
    expect([...worker.started()].sort((one, other) => one - other)).toEqual(ids);
    for (const {jobs} of copies) {
      expect(new Set(idsOf(jobs)).size).toBe(jobs.length);
      expect(new Set(actionsOf(await restore(jobs)))).toEqual(new Set(jobs.length === 0 ? [] : ['ended']));
    }
    expect(worker.started()).toHaveLength(60);
  });

  it('has the jobs of several servers, which return each to its own; one that two of them had returns once', async () => {
    const two = await createQueueSite(gearmand, second);
    onTestFinished(() => two.drop());
    const ids = [
      await submitJob(two.site),
      await submitJob(two.site, {server: second.endpoint}),
      await submitJob(two.site),
    ];
    const {jobs} = await save(two);
    await handedOut(two.site);
    const twice = {...jobs[0]!, server: second.endpoint};
    const restored = await restore([...jobs, twice], {}, two);
    expect(restored.jobs.map(({id, action, server}) => [id, action, server])).toEqual([
      [ids[0]!.id, 'submitted', gearmand.endpoint],
      [ids[2]!.id, 'submitted', gearmand.endpoint],
      [ids[1]!.id, 'waiting', second.endpoint],
      [ids[0]!.id, 'waiting', gearmand.endpoint],
    ]);
    expect(await handedOut(two.site)).toEqual([ids[0]!.id, ids[2]!.id]);
  });

  it('is refused whole: a server does not answer, is not gearmand, limits retries, or imports could run early', async () => {
    const [dead, perl, limited] = await Promise.all([
      startGearmand(),
      startPerlGearmand(),
      startGearmand(['--job-retries=1']),
    ]);
    onTestFinished(async () => void (await Promise.all([perl.kill(), limited.kill()])));
    const sites = await Promise.all([dead, perl, limited].map((server) => createQueueSite(gearmand, server)));
    onTestFinished(async () => void (await Promise.all(sites.map((site) => site.drop()))));
    const [onDead, onPerl, onLimited] = sites;
    await dead.kill();
    await submitJob(onLimited!.site, {server: limited.endpoint});
    await expect(save(onDead)).rejects.toMatchObject({code: expect.stringContaining('GEARMAN_')});
    await expect(save(onPerl)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('is not gearmand'),
    });
    await expect(save(onLimited)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('limits retries'),
    });
    const ids = await submitJobs(at, 2, SERIAL);
    const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5, clientId: 'pid_1_a'});
    onTestFinished(() => worker.close());
    await worker.exchange([request(PACKET.CAN_DO, at.site.functionName(SERIAL))], 'CAN_DO');
    await expect(save()).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('a worker for them is free'),
    });
    expect(await handedOut(at.site, SERIAL)).toEqual(ids);
  });
});

describe('a restore', () => {
  it('submits only what no server has and whose row still says Running; twice in a row it does nothing', async () => {
    const [ended, deleted, waiting, executing, lost] = await submitJobs(at, 5);
    const {jobs} = await save();
    await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ended]);
    await at.site.query('DELETE FROM object WHERE id = ?', [deleted]);
    await forget();
    const [, , third, fourth] = jobs;
    await at.server.submitBackground(fourth!);
    const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5});
    const held = await worker.grab([fourth!.function]);
    await at.server.submitBackground(third!);
    const result = await restore(jobs);
    expect(result.jobs.map(({id, action}) => [id, action])).toEqual([
      [ended, 'ended'],
      [deleted, 'ended'],
      [waiting, 'waiting'],
      [executing, 'executing'],
      [lost, 'submitted'],
    ]);
    expect(actionsOf(await restore(jobs))).toEqual(['ended', 'ended', 'waiting', 'executing', 'waiting']);
    await worker.complete(held!.handle);
    worker.close();
    expect(await handedOut(at.site)).toEqual([waiting, lost]);
  });

  it('reports the jobs that the server took and forgot meanwhile; the same again submits them', async () => {
    const ids = await submitJobs(at, 3);
    const {jobs} = await save();
    await forget();
    let submitted = 0;
    // What a restart does to a queue in memory.
    const forgetful = new Proxy(at.server, {
      get: (server, key) =>
        key === 'submitBackground'
          ? async (job: SavedJob) => {
              if (submitted++ === 2) await forget();
              return server.submitBackground(job);
            }
          : (Reflect.get(server, key) as unknown),
    });
    const result = await restore(jobs, {servers: [{address: gearmand.address, server: forgetful}]});
    expect(actionsOf(result)).toEqual(['failed', 'failed', 'submitted']);
    expect(result.jobs[0]!.message).toMatch(/does not know it any more.* Run the same command again\.$/);
    expect(restoreExitStatus(result)).toBe(1);
    expect(actionsOf(await restore(jobs))).toEqual(['submitted', 'submitted', 'waiting']);
    expect(await handedOut(at.site)).toEqual([ids[2], ids[0], ids[1]]);
  });

  it('is refused on a replica, whose rows may be old', async () => {
    await submitJobs(at, 1);
    const {jobs} = await save();
    const {database} = at.sources;
    const asked = database.query.bind(database);
    const query: typeof asked = (sql, values) => asked(sql.replace('@@global.read_only', "'ON'"), values);
    const refused = restore(jobs, {database: {execute: database.execute.bind(database), query} as never});
    await expect(refused).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('replica'),
    });
    expect(await handedOut(at.site)).toHaveLength(1);
  });

  it('reports a key that a cancelled entry blocks, and submits it once a worker has polled', async () => {
    const [id, other] = await submitJobs(at, 2);
    const {jobs} = await save();
    const handle = await at.server.handleOf(jobs[0]!);
    await at.server.cancel(handle);
    const blocked = await restore(jobs);
    expect(actionsOf(blocked)).toEqual(['blocked', 'waiting']);
    expect(blocked.jobs[0]!.message).toContain('would swallow it');
    expect(await handedOut(at.site)).toEqual([other]);
    expect(actionsOf(await restore(jobs.slice(0, 1)))).toEqual(['submitted']);
    expect(await handedOut(at.site)).toEqual([id]);
  });

  it('refuses a job that began after it was saved, unless it is lost', async () => {
    const [id] = await submitJobs(at, 1);
    const {jobs} = await save();
    await forget();
    const log = (time: string) =>
      at.site.query('UPDATE job SET output = ? WHERE id = ?', [
        `[info] [${time}] Job ${id} "${PLAIN}": Job started.\n`,
        id,
      ]);
    await log(at.sources.time.toWall(new Date()));
    expect(actionsOf(await restore(jobs))).toEqual(['refused']);
    await log('2026-03-04 13:05:01');
    expect(actionsOf(await restore(jobs))).toEqual(['submitted']);
  });

  it('takes a job that had begun before it was saved for what it is: it waited', async () => {
    const [id] = await submitJobs(at, 1);
    const wall = at.sources.time.toWall(new Date());
    await at.site.query('UPDATE job SET output = ? WHERE id = ?', [
      `[info] [${wall}] Job ${id} "${PLAIN}": Job started.\n`,
      id,
    ]);
    const {jobs} = await save();
    await forget();
    expect(actionsOf(await restore(jobs))).toEqual(['submitted']);
  });

  it('goes to another server with `to`, and says if no worker is connected there', async () => {
    const ids = await submitJobs(at, 3);
    const {jobs} = await save();
    await forget();
    const target = await connectServer(second.address, {timeoutSeconds: 5});
    onTestFinished(() => target.close());
    const servers = [...at.sources.servers, {address: second.address, server: target}];
    const result = await restore(jobs, {servers, to: target});
    expect(result.jobs.map(({server}) => server)).toEqual(new Array(3).fill(second.endpoint));
    expect(result.warnings).toEqual([`No worker is connected to ${second.endpoint} for: ${PLAIN}.`]);
    expect(await handedOut({...at.site, gearman: [second.endpoint]} as typeof at.site)).toEqual(ids);
  });

  it('is refused for another function prefix and names both; with rePrefix the jobs go under its own', async () => {
    const ids = await submitJobs(at, 2);
    const saved = (await save()).jobs;
    const old = 'a'.repeat(32);
    const jobs = saved.map((job) => rePrefix(job, old));
    await forget();
    await expect(restore(jobs)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(new RegExp(`prefix ${old}.*is ${at.site.prefix}`)),
    });
    const prefixes = {...at.sources.prefixes, foreign: async () => new Set([old])};
    await expect(restore(jobs, {rePrefix: true, prefixes})).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(`${old}, which is another site's`),
    });
    await submitBackground(gearmand.endpoint, jobs[0]!.function, jobs[0]!.unique, `${jobs[0]!.payload}`);
    expect(actionsOf(await restore(jobs, {rePrefix: true}))).toEqual(['waiting', 'submitted']);
    expect(await handedOut(at.site)).toEqual([ids[1]]);
    const {sources, close} = await sourcesOf(at.site);
    onTestFinished(close);
    const worker = await connectWorker(gearmand.address, {timeoutSeconds: 5});
    await worker.fail((await worker.grab([jobs[0]!.function]))!.handle);
    worker.close();
    expect(sources.prefixes.own).toBe(at.site.prefix);
  });

  it('refuses a job under a key that is not its own, under which no server would show it', async () => {
    const [id] = await submitJobs(at, 1);
    const [job] = (await save()).jobs;
    const result = await restore([{...job!, unique: 'f'.repeat(32)}]);
    expect(result.jobs).toMatchObject([{id, action: 'refused', message: expect.stringContaining('Its key')}]);
    expect(await handedOut(at.site)).toEqual([id]);
  });

  it('puts imports that come back before those that came meanwhile', async () => {
    const ids = await submitJobs(at, 3, SERIAL);
    const {jobs} = await save();
    await forget(SERIAL);
    const [later] = await submitJobs(at, 1, SERIAL);
    const {warnings} = await restore(jobs);
    expect(warnings).toEqual([`No worker is connected to ${gearmand.endpoint} for: ${SERIAL}.`]);
    expect(await handedOut(at.site, SERIAL)).toEqual([...ids, later]);
  });
});
