import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {AtomctlError} from '../../src/errors.ts';
import {connectServers, type ServerConnection} from '../../src/gearman/server.ts';
import {connectDatabase} from '../../src/mysql/connect.ts';
import type {Database} from '../../src/mysql/database.ts';
import {uniqueKey} from '../../src/queue/unique-key.ts';
import {withMethods} from '../support/jobs/kill-site.ts';
import {insertLogged, phpJson, type RetryOutcome, retryAt} from '../support/jobs/retry-site.ts';
import {
  freePort,
  type GearmanProcess,
  startGearmand,
  startWorker,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';
import {atEachStep} from '../support/servers/breaking-proxy.ts';
import {createQueueSite, handedOut, type QueueSite} from '../support/site/queue-site.ts';

const TIMEOUT = {timeoutSeconds: 1};

let gearmand: GearmanProcess;
let at: QueueSite;
let worker: WorkerProcess;
const opened: ServerConnection[] = [];

beforeAll(async () => {
  gearmand = await startGearmand([], {port: await freePort()});
  at = await createQueueSite(gearmand);
});

afterEach(async () => {
  for (const each of opened.splice(0)) if ('server' in each) each.server.close();
  worker?.killGroup();
  await worker?.ended;
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  await handedOut(at.site);
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
});

afterAll(async () => {
  await at?.drop();
  await gearmand?.kill();
});

async function serversAt(port: number): Promise<ServerConnection[]> {
  const servers = await connectServers([{host: '127.0.0.1', port}], TIMEOUT);
  opened.push(...servers);
  return servers;
}

/** A worker that is connected and does nothing, so that what is submitted waits. */
async function idleWorker(): Promise<void> {
  worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
  process.kill(worker.pid, 'SIGSTOP');
}

async function restartGearmand(): Promise<void> {
  await gearmand.kill();
  gearmand = await startGearmand([], {port: gearmand.address.port});
}

/** The database, with something done as soon as the new rows are committed. */
function afterCommit(action: () => Promise<unknown>): Database {
  let done = false;
  return withMethods(at.sources.database, {
    transaction: async (work) => {
      const result = await at.sources.database.transaction(work);
      if (!done) await action();
      done = true;
      return result;
    },
  });
}

const rows = () =>
  at.site.query<{id: number; status_id: number}>('SELECT id, status_id FROM job ORDER BY id');
const statusOf = async (id: number) => (await rows()).find((row) => row.id === id)?.status_id ?? null;
const keyOf = (id: number) =>
  uniqueKey(
    at.site.functionName('arFindingAidJob'),
    phpJson({objectId: 512, name: 'arFindingAidJob', id: String(id)}),
  )!;
const isKnown = async (id: number) => (await at.server.statusOfUniqueKeys([keyOf(id)]))[0]!.known;

test('the server goes between COMMIT and the submission: the new row is an error, and a second run does it', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  const servers = await serversAt(gearmand.address.port);
  const {first, exit} = await retryAt(at, [id], {servers, database: afterCommit(() => gearmand.kill())});
  expect([first.action, exit, await statusOf(first.newId!)]).toEqual(['failed', 1, 185]);
  expect(first.message).toMatch(
    /^atomctl does not know if 127\.0\.0\.1:\d+ has job \d+, the retry of job \d+: .* Its row is marked as an error; if the server has it, a worker runs it and corrects the row\.$/,
  );
  worker.killGroup();
  gearmand = await startGearmand([], {port: gearmand.address.port});
  await idleWorker();
  const second = await retryAt(at, [id]);
  expect([second.first.action, second.exit]).toEqual(['submitted', 0]);
  expect(await handedOut(at.site)).toEqual([second.first.newId]);
});

test('gearmand is restarted between the submission and the check: the new row is an error', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  const [connection] = await serversAt(gearmand.address.port);
  const server = 'server' in connection! ? connection.server : null;
  const submitted = server!.submitBackground;
  server!.submitBackground = async (job) => {
    const handle = await submitted(job);
    await restartGearmand();
    return handle;
  };
  const {first, exit} = await retryAt(at, [id], {servers: [connection!]});
  expect([first.action, exit, await statusOf(first.newId!)]).toEqual(['failed', 1, 185]);
  expect(first.message).toMatch(
    /^Gearman did not accept job \d+, the retry of job \d+: .* accepted the job, but does not know it afterwards\. Its row is marked as an error\. Run the same command again\.$/,
  );
});

test('the server stops as the job is sent: it may run later, corrects its row, and is not doubled', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  const servers = await serversAt(gearmand.address.port);
  const stop = async () => process.kill(gearmand.pid, 'SIGSTOP');
  const {first, exit} = await retryAt(at, [id], {servers, database: afterCommit(stop)});
  const newId = first.newId!;
  expect([first.action, exit, await statusOf(newId)]).toEqual(['failed', 1, 185]);
  process.kill(gearmand.pid, 'SIGCONT');
  await until(() => isKnown(newId));
  const second = await retryAt(at, [id]);
  expect(second.first).toMatchObject({
    action: 'refused',
    message: expect.stringMatching(`^Job ${newId} does the same work as job ${id} and has not ended`),
  });
  process.kill(worker.pid, 'SIGCONT');
  await until(async () => (await statusOf(newId)) === 184);
});

test('a second run that starts between the row and the Gearman job marks that row: the first then submits nothing', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  let second: RetryOutcome | undefined;
  const stopped = async () => {
    second = await retryAt(at, [id]);
  };
  const {first, exit} = await retryAt(at, [id], {database: afterCommit(stopped)});
  expect(second!.first.action).toBe('submitted');
  expect([first.action, exit, await statusOf(first.newId!)]).toEqual(['failed', 1, 185]);
  expect(first.message).toBe(
    `Job ${first.newId}, the retry of job ${id}, was ended before it was submitted, so Gearman does not have it. To see it: atomctl jobs:show ${first.newId}`,
  );
  expect(await handedOut(at.site)).toEqual([second!.first.newId]);
});

test('the database goes for good between the row and the Gearman job: nothing is submitted, and a second run does it', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  const lost = new AtomctlError('DATABASE_LOST', 'The database does not answer.');
  let committed = false;
  const database = withMethods(at.sources.database, {
    transaction: async (work) => {
      const result = await at.sources.database.transaction(work);
      committed = true;
      return result;
    },
    query: (sql, values) => (committed ? Promise.reject(lost) : at.sources.database.query(sql, values)),
    reconnect: () => Promise.reject(lost),
  });
  const {first, exit} = await retryAt(at, [id], {database});
  expect([first.action, exit]).toEqual(['failed', 1]);
  expect(first.message).toBe(
    `Job ${first.newId}, the retry of job ${id}, was not submitted: The database does not answer. Its row still says Running; run the same command again.`,
  );
  const again = await retryAt(at, [id]);
  expect([again.first.action, await statusOf(first.newId!)]).toEqual(['submitted', 185]);
  expect(await handedOut(at.site)).toEqual([again.first.newId]);
});

test('atomctl is killed between the row and the Gearman job: a second run marks the row and does it', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  const killed = new Error('killed');
  await expect(retryAt(at, [id], {database: afterCommit(() => Promise.reject(killed))})).rejects.toBe(killed);
  const [, left] = await rows();
  expect(left!.status_id).toBe(183);
  const {first, exit} = await retryAt(at, [id]);
  expect([first.action, exit, await statusOf(left!.id)]).toEqual(['submitted', 0, 185]);
  expect(first.newId).not.toBe(left!.id);
  expect(await handedOut(at.site)).toEqual([first.newId]);
});

test('a retry that never ran names the job that it repeats', async () => {
  await idleWorker();
  const id = await insertLogged(at.site);
  await retryAt(at, [id], {database: afterCommit(() => Promise.reject(new Error('killed')))}).catch(() => {});
  const [, left] = await rows();
  expect((await retryAt(at, [left!.id])).first.message).toBe(
    `Job ${left!.id} is a retry that never ran. To run it: atomctl jobs:retry ${id}`,
  );
});

/** What was said is what is: one new row that Gearman has, or none, or an error that says so; a second run completes it. */
async function holdsWhatItSays(id: number, result: RetryOutcome | AtomctlError): Promise<void> {
  const [, ...made] = await rows();
  const inGearman = (await at.server.jobs()).filter(({ignored}) => !ignored).length;
  if (result instanceof AtomctlError) expect([made, inGearman, result.exitStatus]).toEqual([[], 0, 3]);
  else {
    const {action, newId, message} = result.first;
    const expected = {
      submitted: [[{id: newId, status_id: 183}], 1],
      refused: [[], 0],
      // Whether the row was made is not known, or it is an error.
      failed: [newId === null ? made : [{id: newId, status_id: 185}], newId === null ? 0 : inGearman],
    }[action];
    expect([made, inGearman], message).toEqual(expected);
    if (action === 'submitted') return;
  }
  const stillKnown = (await Promise.all(made.map((row) => isKnown(row.id)))).includes(true);
  const second = await retryAt(at, [id]);
  expect(second.first.action).toBe(stillKnown ? 'refused' : 'submitted');
}

async function outcome<T>(work: Promise<T>): Promise<T | AtomctlError> {
  return work.catch((error: unknown) => {
    if (error instanceof AtomctlError) return error;
    throw error;
  });
}

describe.each(['request', 'reply'] as const)('a connection is reset at each %s', (kind) => {
  const clean = async () => {
    await handedOut(at.site);
    await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
  };

  test('to MySQL, COMMIT among them: one new job, or none, and the output says which', async () => {
    await idleWorker();
    const actions = new Set<string>();
    const steps = await atEachStep(at.site.config.port, kind, async (port) => {
      const id = await insertLogged(at.site);
      let database: Database | undefined;
      const result = await outcome(
        (async () => {
          database = await connectDatabase({...at.site.config, port}, {timeoutSeconds: 5});
          return retryAt(at, [id], {database});
        })(),
      );
      await database?.close();
      await holdsWhatItSays(id, result);
      actions.add(result instanceof AtomctlError ? 'error' : result.first.action);
      await clean();
    });
    expect(steps).toBeGreaterThan(15);
    expect([...actions].sort()).toEqual(expect.arrayContaining(['error', 'refused', 'submitted']));
  });

  test('to Gearman, the submission among them: never two jobs, never a row without its job', async () => {
    await idleWorker();
    const steps = await atEachStep(gearmand.address.port, kind, async (port) => {
      const id = await insertLogged(at.site);
      const servers = await serversAt(port);
      const result = await outcome(retryAt(at, [id], {servers}));
      await holdsWhatItSays(id, result);
      for (const each of servers) if ('server' in each) each.server.close();
      await clean();
    });
    expect(steps).toBeGreaterThan(4);
  });
});
