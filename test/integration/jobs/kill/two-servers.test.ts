import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {takeLock} from '../../../../src/gearman/lock.ts';
import type {GearmanServer} from '../../../../src/gearman/server.ts';
import {planKill} from '../../../../src/jobs/kill/plan.ts';
import {previewKill} from '../../../../src/jobs/kill/preview.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {killAt, killOptions} from '../../../support/jobs/kill-site.ts';
import {
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../../../support/sandbox.ts';
import {submitBackground} from '../../../support/servers/submit-job.ts';
import {controlOf, crash, createQueueSite, type QueueSite} from '../../../support/site/queue-site.ts';

/** One job on two servers, under one key: somebody submitted it again, to the other. */
let first: GearmanProcess;
let second: GearmanProcess;
let at: QueueSite;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  [first, second] = [await startGearmand(), await startGearmand()];
  at = await createQueueSite(first, second);
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
});

afterAll(async () => {
  await at?.drop();
  await first?.kill();
  await second?.kill();
});

type Submitted = {unique: string; payload: string};

function submitTo({endpoint}: GearmanProcess, {unique, payload}: Submitted, jobClass = 'arFindingAidJob') {
  return submitBackground(endpoint, at.site.functionName(jobClass), unique, payload);
}

const serversOf = () => at.sources.servers.flatMap((one) => ('server' in one ? one.server : []));

/** How many jobs each server has, without cancelled ones. */
function counts(): Promise<number[]> {
  const count = async (server: GearmanServer) => (await server.jobs()).filter(({ignored}) => !ignored).length;
  return Promise.all(serversOf().map(count));
}

async function statusOf(id: number): Promise<unknown> {
  const [row] = await at.site.query('SELECT status_id FROM job WHERE id = ?', [id]);
  return row?.status_id;
}

/** A job that a worker executes, given to it by the first server; it waits on the second, too. */
async function executing() {
  const job = await submitJob(at.site, {work: {seconds: 600}});
  const worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
  workers.push(worker);
  await until(async () => {
    const [row] = await at.site.query('SELECT output FROM job WHERE id = ?', [job.id]);
    return row.output?.includes('Parameters:') === true;
  });
  await submitTo(second, job);
  return {...job, worker};
}

/** One that had begun and waits on both. */
async function waiting() {
  const job = await executing();
  await crash(job.worker, job.unique, at.server);
  return job;
}

/** Ids of jobs that a worker begins now, on whatever server they are. */
async function begun(): Promise<number[]> {
  const {id} = await submitJob(at.site, {jobClass: 'arFindingAidJob', server: second.endpoint});
  workers.push(await startWorker(at.site, ['--abilities=arFindingAidJob']));
  const ended = async () => (await statusOf(id)) !== 183;
  await until(ended);
  const rows = await at.site.query<{id: number}>(
    "SELECT id FROM job WHERE status_id = 183 OR output LIKE '%finished%'",
  );
  return rows.map((row) => row.id).filter((each) => each !== id);
}

describe('a job that had begun and waits on two servers', () => {
  test.each([{}, {deleteRows: true}, {force: true}])('is killed on both: %o', async (options) => {
    const {id} = await waiting();
    expect(await counts()).toEqual([1, 1]);
    const {first: killed, exit} = await killAt(at, [id], options);
    expect(killed).toMatchObject({was: 'queued', gearman: 'removed'});
    expect([killed.message, exit]).toEqual([expect.stringContaining('Its Gearman job is removed.'), 0]);
    expect(await counts()).toEqual([0, 0]);
    expect(await begun()).toEqual([]);
    expect(await statusOf(id)).toBe('deleteRows' in options ? undefined : 185);
  });

  test('is killed on the other even if the signal comes between the two', async () => {
    const {id} = await waiting();
    const controller = new AbortController();
    const cancel = at.server.cancel.bind(at.server);
    at.server.cancel = async (handle) => {
      controller.abort();
      return cancel(handle);
    };
    const {first: killed} = await killAt(at, [id], {signal: controller.signal});
    at.server.cancel = cancel;
    expect([killed.action, await counts(), await statusOf(id)]).toEqual(['marked', [0, 0], 185]);
  });

  test('is not reported as killed if it could be taken out of one only; a second kill completes it', async () => {
    const {id} = await waiting();
    const clientId = newProbeId(Date.now());
    const held = await takeLock(second.address, PROBE_LOCK, {timeoutSeconds: 2, clientId});
    const {first: killed, exit} = await killAt(at, [id], {timeoutSeconds: 0.3});
    await held!.release();
    expect([killed.action, exit, await statusOf(id)]).toEqual(['failed', 1, 183]);
    expect(killed.message).toMatch(/was removed from \S+, but not from all servers/);
    expect(await counts()).toEqual([0, 1]);
    expect((await killAt(at, [id])).first).toMatchObject({action: 'marked', gearman: 'removed'});
    expect(await counts()).toEqual([0, 0]);
  });
});

describe('a job that executes on one server and waits on another', () => {
  test('is executing: its kill is refused, and says where it waits', async () => {
    const {id} = await executing();
    const {first: killed, exit} = await killAt(at, [id]);
    expect([killed.was, killed.action, exit]).toEqual(['executing', 'refused', 5]);
    expect(killed.message).toContain(`It waits on ${second.endpoint}, too, and stays there.`);
    expect(await counts()).toEqual([1, 1]);
  });

  test('is killed on both if its worker is stopped', async () => {
    const {id, worker} = await executing();
    const control = controlOf(at, worker, ['--abilities=arFindingAidJob']);
    const {first: killed, exit} = await killAt(at, [id], {worker: control});
    workers.push(control.worker);
    expect(killed).toMatchObject({was: 'executing', action: 'marked', gearman: 'removed'});
    expect([exit, await statusOf(id), await begun()]).toEqual([0, 185, []]);
    expect(await counts()).toEqual([0, 0]);
  });

  test('waits no more after a forced kill, which says that its worker goes on', async () => {
    const {id, worker} = await executing();
    const {first: killed} = await killAt(at, [id], {force: true});
    expect(killed).toMatchObject({was: 'executing', action: 'marked', gearman: 'cancelled'});
    expect(killed.message).toMatch(/Its worker continues until the job ends/);
    await worker.kill();
    await until(async () => (await counts()).every((count) => count === 0));
    expect(await begun()).toEqual([]);
  });
});

describe('a job that waits on two servers and never began', () => {
  test.each([false, true])('is killed on both, and its row changed once; deleted: %s', async (deleteRows) => {
    const job = await submitJob(at.site, {jobClass: 'arFindingAidJob'});
    await submitTo(second, job);
    const other = await submitJob(at.site, {jobClass: 'arFindingAidJob', server: second.endpoint});
    const waiting = await counts();
    const {first: killed, exit} = await killAt(at, [job.id], {deleteRows});
    expect([killed.action, killed.gearman, exit]).toEqual([deleteRows ? 'deleted' : 'marked', 'removed', 0]);
    expect(await counts()).toEqual(waiting.map((count) => count - 1));
    expect([await statusOf(job.id), await statusOf(other.id)]).toEqual([deleteRows ? undefined : 185, 183]);
  });
});

describe('a job that never began is taken out of one server while the other cannot be probed', () => {
  /** No other test uses it. */
  const CLASS = 'arInheritRightsJob';

  /** Another atomctl probes the second server. */
  async function whileProbed<T>(work: () => Promise<T>): Promise<T> {
    const held = await takeLock(second.address, PROBE_LOCK, {
      timeoutSeconds: 2,
      clientId: newProbeId(Date.now()),
    });
    return work().finally(() => held!.release());
  }

  async function onBoth(): Promise<number> {
    const job = await submitJob(at.site, {jobClass: CLASS});
    await submitTo(second, job, CLASS);
    return job.id;
  }

  /** How many jobs of the class each server has. */
  function ofClass(): Promise<number[]> {
    const count = async (server: GearmanServer) =>
      (await server.status()).find((row) => row.function === at.site.functionName(CLASS))?.total ?? 0;
    return Promise.all(serversOf().map(count));
  }

  test.each([false, true])(
    'it has failed, and its row stays; a second kill completes it; deleted: %s',
    async (deleteRows) => {
      const id = await onBoth();
      const {first: killed, exit} = await whileProbed(() =>
        killAt(at, [id], {deleteRows, timeoutSeconds: 0.3}),
      );
      expect([killed.action, killed.gearman, exit]).toEqual(['failed', 'remains', 1]);
      expect(killed.message).toMatch(
        new RegExp(
          `was removed from ${first.endpoint}, but its row was not changed\\. ${second.endpoint} may have the job but`,
        ),
      );
      expect(killed.message).toMatch(/could not be checked: Another atomctl.*run the same command again/is);
      expect([await ofClass(), await statusOf(id)]).toEqual([[0, 1], 183]);
      expect((await killAt(at, [id], {deleteRows})).first.gearman).toBe('removed');
      expect([await ofClass(), await statusOf(id)]).toEqual([[0, 0], deleteRows ? undefined : 185]);
    },
  );

  test('--force changes the row, and says what may be left', async () => {
    const id = await onBoth();
    const {first: killed, exit} = await whileProbed(() =>
      killAt(at, [id], {force: true, timeoutSeconds: 0.3}),
    );
    expect([killed.action, killed.gearman, exit, await statusOf(id)]).toEqual(['marked', 'remains', 0, 185]);
    expect(killed.message).toMatch(
      /Gearman may still have the job.*may have the job but could not be checked/,
    );
    expect(killed.message).not.toContain('no longer exists');
  });

  test('it is killed if the other has no job of its class', async () => {
    const {id} = await submitJob(at.site, {jobClass: 'arGenerateReportJob'});
    const {first: killed} = await whileProbed(() => killAt(at, [id], {timeoutSeconds: 0.3}));
    expect([killed.action, killed.gearman]).toEqual(['marked', 'removed']);
  });
});

describe('a job on one server while the other is down', () => {
  test.each([
    ['that never began', false],
    ['that had begun', true],
  ])('%s: it is taken out of the first, and its row stays', async (_, hasBegun) => {
    const down = await startGearmand();
    const site = await createQueueSite(first, down);
    const job = await submitJob(site.site, {work: {seconds: 600}});
    if (hasBegun) {
      const worker = await startWorker(site.site, ['--abilities=arFindingAidJob']);
      await until(() => worker.started().includes(job.id));
      await crash(worker, job.unique, site.server);
    }
    await down.kill();
    const dryRun = previewKill(killOptions(site, [job.id]), await planKill(killOptions(site, [job.id])));
    const {first: killed, exit} = await killAt(site, [job.id]);
    expect([killed.action, killed.gearman, exit]).toEqual(['failed', 'remains', 1]);
    expect(dryRun).toMatchObject([{action: 'failed', gearman: 'remains'}]);
    expect(killed.message).toMatch(
      /was removed from .* may have the job but could not be checked: .* cannot be reached/,
    );
    const [row] = await site.site.query('SELECT status_id FROM job WHERE id = ?', [job.id]);
    expect(row.status_id).toBe(183);
    const name = site.site.functionName('arFindingAidJob');
    const inFirst = (await site.server.status()).find((each) => each.function === name);
    // A cancelled entry is counted until a worker polls.
    expect([inFirst?.total ?? 0, (await site.server.jobs()).filter(({ignored}) => ignored).length]).toEqual(
      hasBegun ? [1, 1] : [0, 0],
    );
    const forced = await killAt(site, [job.id], {force: true});
    expect([forced.first.action, forced.first.gearman, forced.exit]).toEqual(['marked', 'remains', 0]);
    await site.drop();
  });
});
