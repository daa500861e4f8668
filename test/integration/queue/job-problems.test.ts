import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {readWorkerProcess} from '../../../src/host/worker-state.ts';
import {BY_SYSTEMD} from '../../../src/host-commands.ts';
import {crossCheck} from '../../../src/jobs/health/cross-check.ts';
import {jobProblems} from '../../../src/jobs/health/job-problems.ts';
import {liveStates} from '../../../src/jobs/live/live-state.ts';
import {
  type GearmanProcess,
  startGearmand,
  startWorker,
  submitBackground,
  submitJob,
  until,
  type WorkerProcess,
} from '../../support/sandbox.ts';
import {connectGearman, TYPE} from '../../support/servers/gearman-wire.mjs';
import {
  crash,
  createQueueSite,
  executeJob,
  handedOut,
  type QueueSite,
} from '../../support/site/queue-site.ts';

let gearmand: GearmanProcess;
let at: QueueSite;
const workers: WorkerProcess[] = [];
const connections: {close(): void}[] = [];

beforeAll(async () => {
  gearmand = await startGearmand();
  at = await createQueueSite(gearmand);
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await Promise.all(
    workers.splice(0).map(async (worker) => {
      process.kill(worker.pid, 'SIGCONT');
      await worker.kill();
    }),
  );
  await until(async () => (await at.server.status()).every(({running}) => running === 0));
  for (const jobClass of ['arFindingAidJob', 'arGenerateReportJob']) await handedOut(at.site, jobClass);
  await at.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
});

afterAll(async () => {
  await at.drop();
  await gearmand.kill();
});

/** Jobs of this age, in AtoM's clock: a row younger than 15 s may not have been taken yet. */
const HOUR_AGO = () => at.sources.time.toWall(new Date(Date.now() - 3_600_000));

async function problems({excluded = []}: {excluded?: string[]} = {}) {
  const {sources} = at;
  const again = () => liveStates(sources);
  const report = await again();
  const checked = await crossCheck(report, {
    ...sources,
    again,
    wait: (milliseconds) => sleep(Math.min(milliseconds, 500)),
    workerProcess: readWorkerProcess,
  });
  return jobProblems(report, checked, {time: sources.time, excluded, commands: BY_SYSTEMD});
}

const messages = async () => (await problems()).map(({message}) => message);

const submit = (jobClass = 'arFindingAidJob') => submitJob(at.site, {jobClass, startedAt: HOUR_AGO()});

/** A connection that calls itself as AtoM's worker does and can do a class, and takes nothing. */
async function connectIdle(pid: number, jobClass = 'arFindingAidJob'): Promise<void> {
  const connection = await connectGearman(gearmand.endpoint);
  connections.push(connection);
  connection.send(TYPE.SET_CLIENT_ID, `pid_${pid}_65fa`);
  connection.send(TYPE.CAN_DO, at.site.functionName(jobClass));
  await until(async () => (await at.server.connections()).some(({id}) => id === `pid_${pid}_65fa`));
}

describe('workers that execute nothing while jobs wait', () => {
  test('a worker that SIGSTOP stopped: since when, how many, which process, and what lets it go on', async () => {
    const worker = await startWorker(at.site, ['--abilities=arFindingAidJob']);
    workers.push(worker);
    process.kill(worker.pid, 'SIGSTOP');
    await submit();
    await submit();
    expect(await problems()).toEqual([
      {
        state: 'warning',
        message: expect.stringMatching(
          new RegExp(
            `^2 jobs have waited since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\(arFindingAidJob\\) although pid_${worker.pid}_\\w+ can run them and executes nothing; process ${worker.pid} is stopped \\(state T, by SIGSTOP or Ctrl-Z\\)\\.$`,
          ),
        ),
        consequence: expect.any(String),
        remedy: `kill -CONT ${worker.pid}`,
      },
    ]);
  });

  test('a connection without a process', async () => {
    await connectIdle(3_999_999);
    await submit();
    expect(await messages()).toEqual([
      expect.stringMatching(
        /^1 job has waited since .* although pid_3999999_65fa can run it and executes nothing; there is no process 3999999 on this host/,
      ),
    ]);
  });

  test('one of two workers, while the other executes', async () => {
    const {worker} = await executeJob(at.site);
    workers.push(worker);
    await connectIdle(3_999_999);
    await submit();
    expect(await messages()).toEqual([
      expect.stringMatching(/although of 2 workers that can run it, 1 executes nothing; /),
    ]);
  });

  test('nothing is said of a worker that executes, nor of jobs that have waited for some seconds', async () => {
    const {worker} = await executeJob(at.site);
    workers.push(worker);
    await submit();
    expect(await messages()).toEqual([]);
    await connectIdle(3_999_999, 'arGenerateReportJob');
    await submitJob(at.site, {
      jobClass: 'arGenerateReportJob',
      startedAt: at.sources.time.toWall(new Date()),
    });
    expect(await messages()).toEqual([]);
  });

  test('nothing is said if the jobs are taken before the second snapshot', async () => {
    await submit();
    await connectIdle(3_999_999);
    const {sources} = at;
    const report = await liveStates(sources);
    const checked = await crossCheck(report, {
      ...sources,
      again: async () => {
        await at.site.query("UPDATE job SET output = 'x', status_id = 184");
        return liveStates(sources);
      },
      wait: async () => {},
      workerProcess: readWorkerProcess,
    });
    expect(checked.stalls).toEqual([]);
  });
});

describe('jobs in Gearman that no row explains', () => {
  const name = () => at.site.functionName('arFindingAidJob');

  test('400 jobs without rows are counted, beside one with a row', async () => {
    for (let count = 0; count < 400; count += 1)
      await submitBackground(gearmand.endpoint, name(), `k${count}`, `{"id":"${900_000 + count}"}`);
    await submit();
    expect(await messages()).toEqual([
      'Gearman has 400 jobs of arFindingAidJob for which the database has no running row.',
    ]);
    expect(await problems({excluded: ['arFindingAidJob']})).toEqual([]);
  });

  test('one job without a row and one row without a job explain each other: no claim either way', async () => {
    await submitBackground(gearmand.endpoint, name(), 'k', '{"id":"900000"}');
    const id = await at.site.insertJob({name: 'arFindingAidJob', status: 'running', startedAt: HOUR_AGO()});
    expect(await messages()).toEqual([]);
    const {verdicts} = await liveStates(at.sources);
    expect(verdicts.get(id)).toMatchObject({state: 'uncertain', likely: 'queued'});
  });

  test('a job whose row has ended while a worker executes it is named', async () => {
    const {id, worker} = await executeJob(at.site);
    workers.push(worker);
    await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
    expect(await problems()).toEqual([
      expect.objectContaining({
        message: `Gearman still has 1 job that has ended in the database: ${id} (arFindingAidJob), assigned to a worker on ${gearmand.endpoint}.`,
        consequence: expect.stringMatching(
          /^After jobs:kill --force a worker still runs its job, until the job ends/,
        ),
        remedy: `atomctl jobs:why ${id}`,
      }),
    ]);
  });

  test('a job whose row has ended while it waits to run again is named', async () => {
    const {id, unique, worker} = await executeJob(at.site);
    await crash(worker, unique, at.server);
    await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
    expect(await problems()).toEqual([
      expect.objectContaining({
        message: `Gearman still has 1 job that has ended in the database: ${id} (arFindingAidJob), waiting on ${gearmand.endpoint}.`,
        remedy: `atomctl jobs:kill ${id} --delete`,
      }),
    ]);
  });

  test('a job that was cancelled in Gearman waits for nobody', async () => {
    const {id, handle} = await submit();
    await at.server.cancel(handle);
    await at.site.query('UPDATE job SET status_id = 185 WHERE id = ?', [id]);
    expect(await messages()).toEqual([]);
    await at.server.dropFunction(name());
  });
});

/** A row whose log says that it finished. AtoM before 2.7 logs no parameters, and its errors as any line. */
async function finishedRow({parameters = true, error = ''} = {}): Promise<number> {
  const id = await at.site.insertJob({status: 'running', startedAt: HOUR_AGO()});
  const line = (message: string) => `[info] [2026-03-04 09:00:00] Job ${id} "arFindingAidJob": ${message}\n`;
  const log = [
    line('Job started.'),
    parameters ? line(`Parameters: {"id":"${id}"}`) : '',
    error,
    line('Job finished.'),
  ];
  await at.site.query('UPDATE job SET output = ? WHERE id = ?', [log.join(''), id]);
  return id;
}

async function noteError(id: number): Promise<void> {
  await at.site.query("INSERT INTO note (object_id, type_id, source_culture) VALUES (?, 197, 'en')", [id]);
}

describe('finished jobs', () => {
  const remedies = async () => (await problems()).map(({remedy}) => remedy);

  test('of AtoM 2.7 and later doctor --fix marks them, unless their log has an error line', async () => {
    await finishedRow();
    expect(await remedies()).toEqual(['atomctl doctor --fix']);
    const failed = await finishedRow({error: '[err] [2026-03-04 09:00:00] No file.\n'});
    expect(await remedies()).toEqual([`atomctl doctor --fix; atomctl jobs:mark ${failed} --as error`]);
  });

  test('of AtoM before 2.7 only a look at the log tells, or an error note (T12)', async () => {
    const first = await finishedRow({parameters: false});
    expect(await remedies()).toEqual([
      `atomctl jobs:show ${first}, then atomctl jobs:mark ${first} --as completed or --as error`,
    ]);
    await noteError(first);
    expect(await remedies()).toEqual([`atomctl jobs:mark ${first} --as error`]);
    for (const _ of [1, 2]) await finishedRow({parameters: false});
    expect(await remedies()).toEqual([
      `atomctl jobs:mark ${first} --as error; atomctl jobs:show ID, then atomctl jobs:mark ID --as completed or --as error`,
    ]);
  });
});

test('lost and finished jobs are warnings, each with its remedy', async () => {
  const lost = await at.site.insertJob({name: 'arObjectMoveJob', status: 'running', startedAt: HOUR_AGO()});
  const finished = await finishedRow();
  expect(await problems()).toEqual([
    expect.objectContaining({
      state: 'warning',
      message: `1 job is lost: ${lost} (arObjectMoveJob).`,
      remedy: 'atomctl doctor --fix',
    }),
    expect.objectContaining({
      state: 'warning',
      message: `1 job has finished, but the database says running: ${finished} (arFindingAidJob).`,
      remedy: 'atomctl doctor --fix',
    }),
  ]);
  expect(await problems({excluded: ['arObjectMoveJob', 'arFindingAidJob']})).toEqual([]);
});
