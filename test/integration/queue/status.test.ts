import {afterAll, beforeAll, expect, test} from 'vitest';
import {createSiteTime} from '../../../src/atom/site-time.ts';
import {BY_SYSTEMD, hostCommands} from '../../../src/host-commands.ts';
import {readBacklog} from '../../../src/jobs/model/running-jobs.ts';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import {askServers} from '../../../src/queue/server-report.ts';
import {fetchQueueReport} from '../../../src/queue/status.ts';
import {queueWorkers} from '../../../src/queue/workers.ts';
import {
  type AtomSite,
  createSite,
  freePort,
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  startWorker,
  submitJob,
  type WorkerProcess,
} from '../../support/sandbox.ts';

const CLASSES = ['arFindingAidJob', 'arFileImportJob'];

const NO_IMPORT_WORKER = {
  state: 'critical',
  message: 'arFileImportJob has no worker.',
  remedy: 'atomctl worker:restart',
};

let c: GearmanProcess;
let perl: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;

beforeAll(async () => {
  [c, perl] = await Promise.all([startGearmand(), startPerlGearmand()]);
  site = await createSite({gearman: [c.endpoint, perl.endpoint], workerTypes: {general: CLASSES}});
  worker = await startWorker(site, ['--abilities=arFindingAidJob']);
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([c?.stop(), perl?.stop(), site?.drop()]);
});

function look(addresses = [c.address, perl.address]) {
  return fetchQueueReport({
    addresses,
    timeoutSeconds: 2,
    prefix: site.prefix,
    jobClasses: CLASSES,
    readJobs: null,
    commands: BY_SYSTEMD,
  });
}

test('the C and the Perl server are asked alike, and a worker of both is one', async () => {
  await submitJob(site, {jobClass: 'arFileImportJob', server: c.endpoint});
  await submitJob(site, {jobClass: 'arFileImportJob', server: perl.endpoint});

  const {status} = await look();
  expect(status.servers).toEqual([
    {address: c.endpoint, reachable: true, version: expect.stringMatching(/^1\.1\./), error: null},
    {address: perl.endpoint, reachable: true, version: expect.stringMatching(/^\d/), error: null},
  ]);
  const ours = {prefix: site.prefix, thisSite: true, running: 0};
  expect(status.functions).toEqual([
    {
      ...ours,
      function: site.functionName('arFileImportJob'),
      jobClass: 'arFileImportJob',
      queued: 2,
      workers: 0,
    },
    {
      ...ours,
      function: site.functionName('arFindingAidJob'),
      jobClass: 'arFindingAidJob',
      queued: 0,
      workers: 1,
    },
  ]);
  expect([status.status, status.problems]).toEqual(['critical', [NO_IMPORT_WORKER]]);

  const servers = await askServers({addresses: [c.address, perl.address], timeoutSeconds: 2});
  expect(queueWorkers({servers, prefix: site.prefix})).toEqual([
    {
      id: expect.stringMatching(`^pid_${worker.pid}_`),
      pid: worker.pid,
      ip: '127.0.0.1',
      prefix: site.prefix,
      thisSite: true,
      abilities: ['arFindingAidJob'],
      servers: [c.endpoint, perl.endpoint],
    },
  ]);
});

test('a server that is down is a problem and takes no other down', async () => {
  const nobody = {host: '127.0.0.1', port: await freePort()};
  const {status} = await look([nobody, c.address]);
  expect(status.servers.map(({reachable}) => reachable)).toEqual([false, true]);
  expect(status.problems).toEqual([
    {
      state: 'critical',
      message: status.servers[0]!.error,
      remedy: expect.stringContaining(hostCommands().startGearmand),
    },
    NO_IMPORT_WORKER,
  ]);
  expect(status.functions.map(({workers}) => workers)).toEqual([0, 1]);
});

test('the backlog is counted and aged by the clock of the site', async () => {
  const database = await connectDatabase(site.config, {timeoutSeconds: 5});
  try {
    const time = createSiteTime(site.timezone, process.env);
    const now = new Date('2026-07-01T12:00:00Z');
    await site.query('UPDATE job SET status_id = 184');
    expect(await readBacklog(database, {time, now})).toEqual({
      running: 0,
      oldestSeconds: null,
      oldestInFuture: false,
    });

    for (const startedAt of ['2026-07-01 04:59:00', '2026-07-01 03:00:00']) {
      await site.insertJob({status: 'running', startedAt});
    }
    await site.insertJob({status: 'error', startedAt: '2020-01-01 00:00:00'});
    expect(await readBacklog(database, {time, now})).toMatchObject({running: 2, oldestSeconds: 7200});

    // A worker whose clock is ahead of ours gives no negative age.
    const before = new Date('2026-07-01T09:00:00Z');
    expect(await readBacklog(database, {time, now: before})).toEqual({
      running: 2,
      oldestSeconds: null,
      oldestInFuture: true,
    });
  } finally {
    await database.close();
  }
});
