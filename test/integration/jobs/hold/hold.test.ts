import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {afterAll, afterEach, beforeAll, expect, it, onTestFinished} from 'vitest';
import {connectServers} from '../../../../src/gearman/server.ts';
import {
  type HoldOptions,
  holdExitStatus,
  holdQueue,
  type SiteAfterwards,
} from '../../../../src/jobs/hold/hold.ts';
import {liveStates} from '../../../../src/jobs/live/live-state.ts';
import {restoreJobs} from '../../../../src/jobs/save/restore.ts';
import {functionName} from '../../../../src/queue/function-name.ts';
import {MOST_CONNECTIONS} from '../../../../src/queue/probe/held-jobs.ts';
import {oldHoldProblems, oldHolds} from '../../../../src/queue/probe/old-holds.ts';
import {probeQueue} from '../../../../src/queue/probe/probe.ts';
import {rePrefix} from '../../../../src/queue/saved/re-prefix.ts';
import type {SavedJob} from '../../../../src/queue/saved/saved-queue.ts';
import {reportServer} from '../../../../src/queue/server-report.ts';
import {renderHeld} from '../../../../src/render/queue/held.ts';
import {withMethods} from '../../../support/jobs/kill-site.ts';
import {NO_WAIT} from '../../../support/quiet-host.ts';
import {
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../../../support/sandbox.ts';
import {
  createQueueSite,
  emptyQueueSite,
  executeJob,
  handedOut,
  type QueueSite,
  sourcesOf,
  submitJobs,
  takeAll,
} from '../../../support/site/queue-site.ts';

const PLAIN = 'arFindingAidJob';
const SERIAL = 'arFileImportJob';
const OTHER_PREFIX = 'f'.repeat(32);

let gearmand: GearmanProcess;
let at: QueueSite;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
});

afterEach(() => emptyQueueSite(at, workers));

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

const notices: string[] = [];

function hold(
  runCommand: () => Promise<number>,
  {after = {}, ...more}: Omit<Partial<HoldOptions>, 'afterwards'> & {after?: Partial<SiteAfterwards>} = {},
) {
  notices.length = 0;
  const afterwards = async (): Promise<SiteAfterwards> => {
    const {sources, close} = await sourcesOf(at.site);
    const recheck = {firstSeen: new Map<number, number>(), wait: NO_WAIT};
    const how = {origin: 'The hold', to: null, rePrefix: false, recheck, wait: NO_WAIT};
    const signal = new AbortController().signal;
    return {
      prefix: at.site.prefix,
      servers: at.site.gearman,
      startUnits: async () => {},
      restore: (jobs) => restoreJobs({...sources, ...how, jobs, signal}),
      close,
      ...after,
    };
  };
  return holdQueue({
    ...at.sources,
    signal: new AbortController().signal,
    checkFirst: async () => {},
    stopUnits: null,
    maxWaitSeconds: null,
    rePrefix: false,
    keepCopy: async (jobs) => `a copy of ${jobs.length}`,
    notice: (text) => notices.push(text),
    runCommand,
    afterwards,
    ...more,
  });
}

async function restartGearmand(): Promise<void> {
  await gearmand.kill();
  gearmand = await startGearmand([], {port: gearmand.address.port});
}

async function work(...abilities: string[]): Promise<WorkerProcess> {
  const worker = await startWorker(at.site, [`--abilities=${abilities.join(',')}`]);
  workers.push(worker);
  return worker;
}

/** A worker as a unit of systemd. */
async function unit(...abilities: string[]) {
  const args = [`--abilities=${abilities.join(',')}`];
  const control = {
    worker: await startWorker(at.site, args),
    calls: [] as string[],
    async stop() {
      control.calls.push('stop');
      await control.worker.stop();
    },
    async start() {
      control.calls.push('start');
      control.worker = await startWorker(at.site, args);
    },
  };
  onTestFinished(async () => void (await control.worker.kill()));
  return control;
}

const counts = async (jobClass = PLAIN) =>
  (await at.server.status()).find((row) => row.function === at.site.functionName(jobClass))!;
const running = async () => (await at.site.query('SELECT id FROM job WHERE status_id = 183')).length;

it('empties a busy queue, keeps what waits and what arrives from starting, and gives all back in order', async () => {
  const ids = [(await submitJob(at.site, {work: {seconds: 4}})).id];
  const control = await unit(PLAIN, SERIAL);
  await until(() => control.worker.started().length > 0);
  ids.push(...(await submitJobs(at, 5)));
  const imports = await submitJobs(at, 3, SERIAL);
  const before = control.worker;
  const result = await hold(
    async () => {
      expect(control.calls).toEqual(['stop']);
      // AtoM accepts jobs only if somebody has the ability.
      expect((await counts()).workers).toBeGreaterThan(0);
      expect(before.started()).toEqual(ids.slice(0, 1));
      ids.push(...(await submitJobs(at, 2)));
      imports.push(...(await submitJobs(at, 1, SERIAL)));
      await until(
        async () =>
          (await counts()).total === (await counts()).running && (await counts(SERIAL)).running === 4,
      );
      expect(before.started()).toHaveLength(1);
      return 7;
    },
    {
      stopUnits: () => control.stop(),
      after: {
        async startUnits() {
          const {total, running, workers} = await counts();
          expect([total, running, workers > 0]).toEqual([7, 0, true]);
          await control.start();
        },
      },
    },
  );
  expect([result.commandStatus, holdExitStatus(result), result.problems]).toEqual([7, 7, []]);
  const waited = new RegExp(
    `^Waiting for the end of job ${ids[0]} \\(${PLAIN}\\): worker pid_\\S+ on 127\\.0\\.0\\.1 executes it since \\d{4}-`,
  );
  expect(notices).toEqual([expect.stringMatching(waited)]);
  expect(result).toMatchObject({waitedFor: [{id: ids[0], name: PLAIN}], left: []});
  expect(control.calls).toEqual(['stop', 'start']);
  await until(async () => (await running()) === 0);
  const started = [...before.started(), ...control.worker.started()];
  expect(started.filter((id) => ids.includes(id))).toEqual(ids);
  expect(started.filter((id) => imports.includes(id))).toEqual(imports);
  expect(started).toHaveLength(12);
});

it('gives everything back and does not run the command if jobs execute for longer than it may wait', async () => {
  const {id, worker} = await executeJob(at.site);
  workers.push(worker);
  const ids = await submitJobs(at, 4);
  let stopped = false;
  const result = await hold(() => Promise.reject(new Error('It was run.')), {
    maxWaitSeconds: 0.5,
    stopUnits: async () => {
      stopped = true;
    },
  });
  expect([result.commandStatus, stopped, holdExitStatus(result)]).toEqual([null, false, 124]);
  expect(result.failure!.message).toMatch(
    /^After 0.5 s the site still executes 1 job: job \d+ \(arFindingAidJob\): worker pid_\S+ on 127.0.0.1 executes it since \d{4}-\d\d-\d\dT[\d:]+[-+]\d\d:\d\d\.$/,
  );
  expect(result.waitedFor).toEqual([
    expect.objectContaining({id, worker: {id: expect.stringMatching(/^pid_/), host: '127.0.0.1'}}),
  ]);
  expect(await handedOut(at.site)).toEqual(ids);
});

it('ends at a signal while it waits, and gives everything back; during the command it waits for its end', async () => {
  const controller = new AbortController();
  const {worker} = await executeJob(at.site);
  workers.push(worker);
  const ids = await submitJobs(at, 3);
  const held = hold(() => Promise.reject(new Error('It was run.')), {signal: controller.signal});
  await until(async () => (await counts()).running === 4);
  controller.abort();
  expect(holdExitStatus(await held)).toBe(130);
  expect(await handedOut(at.site)).toEqual(ids);
  await Promise.all(workers.splice(0).map((each) => each.kill()));
  await until(async () => (await counts()).running === 0);
  await handedOut(at.site);

  const [id] = await submitJobs(at, 1);
  const second = new AbortController();
  const result = await hold(
    async () => {
      second.abort();
      return 143;
    },
    {signal: second.signal},
  );
  expect(holdExitStatus(result)).toBe(143);
  expect(await handedOut(at.site)).toEqual([id]);
});

it('without units: says what is not promised, and leaves imports to a connected worker', async () => {
  const worker = await work(PLAIN, SERIAL);
  const [first, second] = [await submitJob(at.site, {work: {seconds: 4}}), await submitJob(at.site)];
  await until(() => worker.started().length > 0);
  const [anImport] = await submitJobs(at, 1, SERIAL);
  const late = await hold(() => Promise.reject(new Error('It was run.')), {maxWaitSeconds: 0.5});
  const notPromised = /^1 worker of this site is not stopped.*may start before it can be held/;
  expect(notices[0]).toMatch(notPromised);
  expect(late.left).toEqual([{jobClass: SERIAL, count: 1, ids: [anImport]}]);
  expect(late.failure!.message).toContain(
    `1 job of ${SERIAL} (${anImport}) stays in the queue: AtoM executes such jobs one at a time`,
  );
  const result = await hold(async () => {
    expect(worker.started()).toEqual([first.id, anImport]);
    return 0;
  });
  expect(notices.filter((text) => notPromised.test(text))).toHaveLength(1);
  expect(notices.join('\n')).toContain(`of ${SERIAL} (${anImport}) stays in the queue`);
  expect([result.held, holdExitStatus(result)]).toEqual([1, 0]);
  await until(async () => (await running()) === 0);
  expect(worker.started()).toEqual([first.id, anImport, second.id]);
});

it('submits what a gearmand that is restarted meanwhile has forgotten', async () => {
  const ids = await submitJobs(at, 5);
  const result = await hold(async () => {
    await restartGearmand();
    return 0;
  });
  expect([result.held, result.restored]).toEqual([5, 5]);
  expect(await handedOut(at.site)).toEqual(ids);
});

it('restores each job that a restarted gearmand has forgotten, although new jobs have their handles there', async () => {
  const ids = await submitJobs(at, 5);
  const arrived: number[] = [];
  // Nothing is asked while the units stop.
  const stopUnits = async () => {
    await restartGearmand();
    arrived.push(...(await submitJobs(at, 7)));
  };
  const result = await hold(() => Promise.reject(new Error('It was run.')), {stopUnits});
  expect(result.failure?.code).toBe('GEARMAN_UNREACHABLE');
  expect(result.restored).toBe(5);
  expect(await handedOut(at.site)).toEqual([...arrived, ...ids]);
});

it('notices a restart of gearmand although it answers again at the next question', async () => {
  const ids = await submitJobs(at, 3);
  // No question is asked between the command and the start of the units.
  const after = {startUnits: restartGearmand};
  const result = await hold(async () => 0, {stopUnits: async () => {}, after});
  expect([result.held, result.restored]).toEqual([3, 3]);
  expect(await handedOut(at.site)).toEqual(ids);

  const {worker} = await executeJob(at.site);
  workers.push(worker);
  let stopped = false;
  const held = hold(() => Promise.reject(new Error('It was run.')), {
    stopUnits: async () => {
      stopped = true;
    },
  });
  await until(async () => notices.length > 0);
  await restartGearmand();
  expect([(await held).failure?.code, stopped]).toEqual(['GEARMAN_UNREACHABLE', false]);
});

it('notices a restart of gearmand between the two returns of very many jobs', async () => {
  let isOver = false;
  const forward = async (client: Socket) => {
    // After the first return the jobs are taken again, by a new connection.
    if (isOver && (await counts()).running === 0) {
      isOver = false;
      await restartGearmand();
    }
    const upstream = connect(gearmand.address.port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy()).pipe(upstream);
    upstream.on('close', () => client.destroy()).pipe(client);
  };
  const relay = createServer((client) => void forward(client));
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  const {port} = relay.address() as AddressInfo;
  const ids = await submitJobs(at, MOST_CONNECTIONS + 1);
  const servers = await connectServers([{host: '127.0.0.1', port}], {timeoutSeconds: 5});
  const restore: SiteAfterwards['restore'] = async (jobs) => {
    const {sources, close} = await sourcesOf(at.site);
    const recheck = {firstSeen: new Map<number, number>(), wait: NO_WAIT};
    const how = {origin: 'The hold', to: at.server, rePrefix: false, recheck, wait: NO_WAIT};
    const signal = new AbortController().signal;
    return restoreJobs({...sources, ...how, jobs, signal}).finally(close);
  };
  const command = async () => {
    isOver = true;
    return 0;
  };
  const result = await hold(command, {servers, after: {restore}});
  expect([result.held, result.restored]).toEqual([ids.length, ids.length]);
  expect(await handedOut(at.site)).toEqual(ids);
  for (const connection of servers) if ('server' in connection) connection.server.close();
  relay.close();
});

it('keeps a copy of the jobs if no server has them in the end, and names it', async () => {
  await submitJobs(at, 2);
  const kept: number[] = [];
  const result = await hold(
    async () => {
      await gearmand.kill();
      return 0;
    },
    {keepCopy: async (jobs) => `copy-${kept.push(...jobs.map(({payload}) => JSON.parse(`${payload}`).id))}`},
  );
  gearmand = await startGearmand([], {port: gearmand.address.port});
  expect([kept.length, holdExitStatus(result)]).toEqual([2, 1]);
  expect(renderHeld(result)).toBe('2 jobs were held; none is known to wait in the queue.');
  expect(result.problems).toContain(
    'The 2 jobs that were held are saved in copy-2. To submit them: atomctl queue:restore copy-2',
  );
});

it('names both prefixes if the command has changed it, and leaves no job under the old one with rePrefix', async () => {
  const ids = await submitJobs(at, 3);
  const after = {prefix: OTHER_PREFIX};
  const left = await hold(async () => 0, {after});
  expect(holdExitStatus(left)).toBe(5);
  expect(left.failure!.message).toBe(
    `3 jobs wait under the function prefix ${at.site.prefix}, and this site's is ${OTHER_PREFIX}: no worker of it runs them.`,
  );
  expect(left.failure!.hint).toContain(`--from-prefix ${at.site.prefix} --re-prefix -- true`);
  const unknown = await hold(async () => 0, {after: {prefix: null}});
  expect([holdExitStatus(unknown), unknown.failure!.hint]).toEqual([
    5,
    expect.stringMatching(
      /^Repair the settings first, or give --atom-root\. If the prefix is another one then: /,
    ),
  ]);
  const moved = await hold(async () => 0, {after, rePrefix: true});
  expect([moved.moved, moved.failure, moved.problems, holdExitStatus(moved)]).toEqual([3, null, [], 0]);
  expect(await handedOut(at.site)).toEqual([]);
  expect(await takeAll(at.site, functionName(OTHER_PREFIX, PLAIN))).toEqual(ids);
});

it('moves no job if the database may be a replica, whose rows may be old', async () => {
  const ids = await submitJobs(at, 2);
  const {database} = at.sources;
  const query: typeof database.query = (sql, values) =>
    database.query(sql.replace('@@global.read_only', "'ON'"), values);
  const after = {prefix: OTHER_PREFIX};
  const result = await hold(async () => 0, {after, rePrefix: true, database: withMethods(database, {query})});
  expect([result.moved, result.dropped, holdExitStatus(result)]).toEqual([0, 0, 5]);
  expect(result.problems).toEqual([expect.stringMatching(/a replica: .* No job was submitted\./)]);
  expect(await handedOut(at.site)).toEqual(ids);
});

it('moves no job that a move that was killed had moved, or whose row has ended since', async () => {
  const ids = await submitJobs(at, 4);
  const held: SavedJob[] = [];
  await hold(() => gearmand.kill().then(() => 0), {keepCopy: async (jobs) => `${held.push(...jobs)}`});
  gearmand = await startGearmand([], {port: gearmand.address.port});
  for (const job of held) await at.server.submitBackground(job);
  for (const job of held.slice(0, 1)) await at.server.submitBackground(rePrefix(job, OTHER_PREFIX));
  await at.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ids[1]]);
  await at.site.query("UPDATE job SET name = 'arFileImportJob' WHERE id = ?", [ids[2]]);
  const result = await hold(async () => 0, {after: {prefix: OTHER_PREFIX}, rePrefix: true});
  expect(result).toMatchObject({held: 4, moved: 1, dropped: 2, returned: 2, failure: {code: 'REFUSED'}});
  expect(result.problems).toEqual([
    `Job ${ids[2]} was not moved. The row with its id is of another job (arFileImportJob).`,
  ]);
  expect(renderHeld(result)).toBe(
    "4 jobs were held, 1 moved to the site's new prefix, 2 removed, because they had been moved before or have ended; all wait in the queue again.",
  );
  expect(await takeAll(at.site, functionName(OTHER_PREFIX, PLAIN))).toEqual([ids[0], ids[3]]);
  expect(await handedOut(at.site)).toEqual([ids[2]]);
});

it('names the servers and the commands if the site has another Gearman server after the command', async () => {
  await submitJobs(at, 2);
  const result = await hold(async () => 0, {after: {servers: ['127.0.0.1:9']}});
  expect(holdExitStatus(result)).toBe(5);
  expect(result.failure!.message).toBe(
    `2 jobs wait on ${gearmand.endpoint}, and this site's Gearman server is 127.0.0.1:9: no worker of it runs them.`,
  );
  expect(result.failure!.hint).toMatch(
    `atomctl queue:save queue.json --gearman ${gearmand.endpoint}; atomctl queue:restore queue.json --to 127.0.0.1:9.`,
  );
});

it('submits what a restarted gearmand has forgotten under the new prefix, with rePrefix', async () => {
  const ids = await submitJobs(at, 3);
  const restore: SiteAfterwards['restore'] = async (jobs, rePrefixed) => {
    const {sources, close} = await sourcesOf(at.site);
    const prefixes = {...sources.prefixes, own: OTHER_PREFIX, also: []};
    const recheck = {firstSeen: new Map<number, number>(), wait: NO_WAIT};
    const how = {origin: 'The hold', to: null, rePrefix: rePrefixed, recheck, wait: NO_WAIT};
    const signal = new AbortController().signal;
    return restoreJobs({...sources, ...how, prefixes, jobs, signal}).finally(close);
  };
  const command = () => restartGearmand().then(() => 0);
  const result = await hold(command, {after: {prefix: OTHER_PREFIX, restore}, rePrefix: true});
  expect([result.moved, result.restored, result.failure]).toEqual([0, 3, null]);
  expect(await handedOut(at.site)).toEqual([]);
  expect(await takeAll(at.site, functionName(OTHER_PREFIX, PLAIN))).toEqual(ids);
});

it('T22: is recognised by other atomctl processes, which call no held job executing or lost', async () => {
  const [id] = await submitJobs(at, 1);
  await hold(async () => {
    const report = await reportServer(at.sources.servers[0]!);
    const problems = oldHoldProblems(oldHolds([report], Date.now()), (instant) => instant.toISOString());
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(
      /^A queue:hold \(atomctl-hold-[0-9a-f]+-\d+, from 127\.0\.0\.1\) holds the queue of .* since/,
    );
    const {verdicts} = await liveStates(at.sources);
    expect(verdicts.get(id!)).toMatchObject({state: 'uncertain'});
    const probe = probeQueue(gearmand.address, [at.site.functionName(PLAIN)], {timeoutSeconds: 0.2});
    await expect(probe).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(/^A queue:hold .* holds the queue/),
    });
    return 0;
  });
});
