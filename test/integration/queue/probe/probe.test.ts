import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {describe, expect, it, onTestFinished} from 'vitest';
import {takeLock} from '../../../../src/gearman/lock.ts';
import {PACKET, request} from '../../../../src/gearman/packet.ts';
import {connectServer, type GearmanServer} from '../../../../src/gearman/server.ts';
import {connectWorker} from '../../../../src/gearman/worker-connection.ts';
import {MOST_CONNECTIONS} from '../../../../src/queue/probe/held-jobs.ts';
import {holdWaiting} from '../../../../src/queue/probe/hold-waiting.ts';
import {type ProbeOptions, probeQueue} from '../../../../src/queue/probe/probe.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  submitBackground,
} from '../../../support/sandbox.ts';
import {until} from '../../../support/until.ts';

const TIMEOUT = {timeoutSeconds: 5};

async function gearmand(...args: string[]): Promise<GearmanProcess> {
  const process = await startGearmand(args);
  onTestFinished(async () => void (await process.kill()));
  return process;
}

async function ask<T>(
  {address}: GearmanProcess,
  question: (server: GearmanServer) => Promise<T>,
): Promise<T> {
  const server = await connectServer(address, TIMEOUT);
  return question(server).finally(() => server.close());
}

/** Queues jobs with the ids 1 to `count`, one after the other into each of the functions in turn. */
async function submit({endpoint}: GearmanProcess, count: number, ...functions: string[]): Promise<void> {
  for (let id = 1; id <= count; id += 1) {
    await submitBackground(endpoint, functions[id % functions.length]!, `key-${id}`, `{"id":${id}}`);
  }
}

/** Takes everything that waits, as a worker would: the ids in the order in which they are handed out. */
async function drain({address}: GearmanProcess, name = 'f'): Promise<number[]> {
  const worker = await connectWorker(address, TIMEOUT);
  const ids: number[] = [];
  for (let job = await worker.grab([name]); job; job = await worker.grab([name])) {
    ids.push(JSON.parse(`${job.payload}`).id);
    await worker.complete(job.handle);
  }
  worker.close();
  return ids;
}

/** Returns every job so many times, in its order, as the deaths of workers would. */
async function returnAll(process: GearmanProcess, count: number, times: number): Promise<void> {
  for (let done = 0; done < count * times; done += 1) {
    const worker = await connectWorker(process.address, TIMEOUT);
    await worker.grab(['f']);
    await worker.giveBack();
    worker.close();
  }
}

const numbers = (first: number, last: number, step = 1) =>
  Array.from({length: Math.floor((last - first) / step) + 1}, (_, index) => first + index * step);

describe('probeQueue on gearmand', () => {
  it('reads every payload and leaves the queue as it was', async () => {
    const server = await gearmand();
    await submit(server, 40, 'f', 'g');
    await submit(server, 3, 'other');
    const before = await ask(server, (it) => it.status());
    const {jobs, removed} = await probeQueue(server.address, ['f', 'g', 'empty'], TIMEOUT);

    expect(removed).toEqual([]);
    expect(jobs.filter((job) => job.function === 'f').map((job) => job.jobId)).toEqual(numbers(2, 40, 2));
    expect(jobs.filter((job) => job.function === 'g').map((job) => job.jobId)).toEqual(numbers(1, 39, 2));
    expect(jobs[0]).toEqual({
      handle: expect.stringMatching(/^H:/),
      function: jobs[0]!.function,
      unique: `key-${jobs[0]!.jobId}`,
      jobId: jobs[0]!.jobId,
      name: null,
      objectId: null,
    });
    const after = await ask(server, (it) => it.status());
    expect(after.filter((row) => row.function !== 'atomctl-probe-lock')).toEqual(before);
    expect(await drain(server, 'f')).toEqual(numbers(2, 40, 2));
    expect(await drain(server, 'g')).toEqual(numbers(1, 39, 2));
    const touched = (await ask(server, (it) => it.jobs())).filter((job) => job.retries > 0);
    expect(touched).toEqual([]);
  });

  it('takes out what is chosen and keeps the others in order', async () => {
    const server = await gearmand();
    await submit(server, 5, 'f');
    const {jobs, removed} = await probeQueue(server.address, ['f'], {
      ...TIMEOUT,
      take: (job) => job.jobId === 3,
    });
    expect(removed.map((job) => job.jobId)).toEqual([3]);
    expect(jobs.map((job) => job.jobId)).toEqual([1, 2, 4, 5]);
    expect(await ask(server, (it) => it.statusOfUniqueKeys(['key-3']))).toEqual([
      {known: false, running: false},
    ]);
    expect(await drain(server)).toEqual([1, 2, 4, 5]);
  });

  it('leaves executing jobs alone', async () => {
    const server = await gearmand();
    await submit(server, 2, 'f');
    const worker = await connectWorker(server.address, TIMEOUT);
    onTestFinished(() => worker.close());
    await worker.grab(['f']);
    const {jobs} = await probeQueue(server.address, ['f'], {...TIMEOUT, take: (job) => job.jobId === 1});
    expect(jobs.map((job) => job.jobId)).toEqual([2]);
    expect(await ask(server, (it) => it.statusOfUniqueKeys(['key-1']))).toEqual([
      {known: true, running: true},
    ]);
  });

  it.each<[string, Partial<ProbeOptions>, string]>([
    ['an interruption', {signal: AbortSignal.abort()}, 'INTERRUPTED'],
    [
      'a failing choice',
      {
        take: () => {
          throw new RangeError('no choice');
        },
      },
      'no choice',
    ],
  ])('leaves the queue as it was after %s', async (_name, options, expected) => {
    const server = await gearmand();
    await submit(server, 6, 'f');
    const error = await probeQueue(server.address, ['f'], {...TIMEOUT, ...options}).catch((caught) => caught);
    expect([error.code, error.message]).toContain(expected);
    expect(await drain(server)).toEqual(numbers(1, 6));
  });

  it('touches nothing if gearmand has too few connections left', async () => {
    const server = await gearmand('--file-descriptors=60');
    await submit(server, 50, 'f');
    const error = await probeQueue(server.address, ['f'], {timeoutSeconds: 1}).catch((caught) => caught);
    expect(error).toMatchObject({code: 'GEARMAN_TIMEOUT'});
    expect((await ask(server, (it) => it.jobs())).filter((job) => job.retries > 0)).toEqual([]);
    expect(await drain(server)).toEqual(numbers(1, 50));
  });

  it('keeps the order of a queue that is too long for a connection for each job, and takes out what is chosen', async () => {
    const server = await gearmand();
    const count = MOST_CONNECTIONS + 200;
    await submit(server, count, 'f', 'g');
    const {jobs, removed} = await probeQueue(server.address, ['f', 'g'], {
      ...TIMEOUT,
      take: ({jobId}) => jobId === 300 || jobId === 301,
    });
    expect([jobs.length, removed.map(({jobId}) => jobId).sort()]).toEqual([count - 2, [300, 301]]);
    const [even, odd] = [numbers(2, count, 2), numbers(1, count, 2)];
    expect(await drain(server, 'f')).toEqual(even.filter((id) => id !== 300));
    expect(await drain(server, 'g')).toEqual(odd.filter((id) => id !== 301));
  });

  it('waits if another atomctl probes, and gives up after the timeout', async () => {
    const server = await gearmand();
    await submit(server, 2, 'f');
    const lock = await takeLock(server.address, 'atomctl-probe-lock', TIMEOUT);
    const other = await connectWorker(server.address, TIMEOUT);
    onTestFinished(() => other.close());
    await other.grab(['f']);
    await other.grab(['f']);
    const early = await probeQueue(server.address, ['f'], {timeoutSeconds: 0.1}).catch((caught) => caught);
    expect(early).toMatchObject({code: 'REFUSED', message: expect.stringContaining('Another atomctl')});
    const access = probeQueue(server.address, ['f'], TIMEOUT);
    await other.giveBack();
    await lock!.release();
    expect((await access).jobs.map((job) => job.jobId)).toEqual([2, 1]);
  });

  it('T22: names the client that has kept the lock for longer than a probe lasts', async () => {
    const server = await gearmand();
    await submit(server, 2, 'f');
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;
    const clientId = `atomctl-probe-1f-${hourAgo}`;
    const lock = await takeLock(server.address, 'atomctl-probe-lock', {...TIMEOUT, clientId});
    const error = await probeQueue(server.address, ['f'], {timeoutSeconds: 0.5}).catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(`${clientId} from 127.0.0.1`),
    });
    await lock!.release();
  });

  it('loses nothing if its process is killed in the middle', async () => {
    const server = await gearmand();
    await submit(server, 12, 'f');
    const module = fileURLToPath(new URL('../../../../src/queue/probe/probe.ts', import.meta.url));
    const typescript = fileURLToPath(new URL('../../../support/typescript.mjs', import.meta.url));
    const script = `
      const {probeQueue} = await import(${JSON.stringify(module)});
      const take = ({jobId}) => jobId === 7 && process.kill(process.pid, 'SIGKILL');
      await probeQueue(${JSON.stringify(server.address)}, ['f'], {timeoutSeconds: 5, take});`;
    const node = ['--import', typescript, '--input-type=module', '-e', script];
    const child = spawn(process.execPath, node, {stdio: 'inherit'});
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    await until(async () => (await ask(server, (it) => it.status())).every((row) => row.workers === 0));

    const {jobs} = await probeQueue(server.address, ['f'], TIMEOUT);
    expect(jobs).toHaveLength(12);
    expect((await drain(server)).sort((a, b) => a - b)).toEqual(numbers(1, 12));
  });

  it('loses nothing and runs nothing twice among workers, submissions and other probes', async () => {
    const server = await gearmand();
    const total = 120;
    const executed: number[] = [];
    const removed: number[] = [];
    let submitting = true;
    const work = async () => {
      const worker = await connectWorker(server.address, TIMEOUT);
      while (submitting || executed.length + removed.length < total) {
        const job = await worker.grab(['f']);
        if (!job) await new Promise((resolve) => setTimeout(resolve, 2));
        else {
          executed.push(JSON.parse(`${job.payload}`).id);
          await worker.complete(job.handle);
        }
      }
      worker.close();
    };
    const probe = async (kind: number) => {
      while (submitting) {
        const result = await probeQueue(server.address, ['f'], {
          ...TIMEOUT,
          take: (job) => job.jobId! % 10 === kind,
        });
        removed.push(...result.removed.map((job) => job.jobId!));
      }
    };
    const submitAll = submit(server, total, 'f').finally(() => {
      submitting = false;
    });
    await Promise.all([submitAll, work(), work(), probe(3), probe(7)]);
    expect([...executed, ...removed].sort((a, b) => a - b)).toEqual(numbers(1, total));
    expect(await ask(server, (it) => it.jobs())).toEqual([]);
  });
});

describe('a limit of retries', () => {
  const cases = [
    {limit: 0, returned: 0, refused: false},
    {limit: 0, returned: 1, refused: false},
    {limit: 1, returned: 0, refused: true},
    {limit: 2, returned: 0, refused: false},
    {limit: 2, returned: 1, refused: true},
    {limit: 3, returned: 1, refused: false},
    {limit: 3, returned: 2, refused: true},
  ];

  it.each(cases)(
    'of $limit, after $returned returns: refused is $refused',
    async ({limit, returned, refused}) => {
      const server = await gearmand(`--job-retries=${limit}`);
      await submit(server, 3, 'f');
      await returnAll(server, 3, returned);
      const before = await ask(server, (it) => it.jobs());
      expect(before.map((job) => job.retries)).toEqual([returned, returned, returned]);

      const outcome = await probeQueue(server.address, ['f'], TIMEOUT).then(
        () => null,
        (error) => error.code,
      );
      expect(outcome).toBe(refused ? 'REFUSED' : null);
      const after = await ask(server, (it) => it.jobs());
      expect(after.map((job) => job.retries)).toEqual(before.map((job) => job.retries + (refused ? 0 : 1)));
      expect(await drain(server)).toEqual([1, 2, 3]);
    },
  );

  it('is not measured by jobs that are cancelled: they never return', async () => {
    const server = await gearmand('--job-retries=2');
    await submit(server, 1, 'f');
    await returnAll(server, 1, 1);
    const [cancelled] = await ask(server, (it) => it.jobs());
    await ask(server, (it) => it.cancel(cancelled!.handle));
    await submitBackground(server.endpoint, 'f', 'key-2', '{"id":2}');
    const {jobs} = await probeQueue(server.address, ['f'], TIMEOUT);
    expect(jobs.map((job) => job.jobId)).toEqual([2]);
  });
});

describe('a class that AtoM runs one at a time', () => {
  const IMPORT = `${'0'.repeat(32)}-arFileImportJob`;

  async function connect(server: GearmanProcess, functions: readonly string[]) {
    const worker = await connectWorker(server.address, {...TIMEOUT, clientId: 'pid_1_a'});
    onTestFinished(() => worker.close());
    await worker.exchange(
      functions.map((name) => request(PACKET.CAN_DO, name)),
      'CAN_DO',
    );
    return worker;
  }

  it('K9: is not probed while a worker for it is free; other classes are', async () => {
    const server = await gearmand();
    await submit(server, 3, IMPORT);
    await submit(server, 3, 'f');
    await connect(server, [IMPORT, 'f']);
    const {jobs, removed, refused} = await probeQueue(server.address, [IMPORT, 'f'], {
      ...TIMEOUT,
      take: () => true,
    });
    expect([jobs, removed.map((job) => job.function)]).toEqual([[], ['f', 'f', 'f']]);
    expect(refused).toMatchObject([
      {
        code: 'REFUSED',
        message: expect.stringMatching(/^The waiting jobs of arFileImportJob .* is free, or was/),
      },
    ]);
    expect(await drain(server, IMPORT)).toEqual([1, 2, 3]);
  });

  it('K9: is not probed while its worker goes from one short job to the next', async () => {
    const server = await gearmand();
    await submit(server, 3, IMPORT);
    const worker = await connect(server, [IMPORT]);
    const first = await worker.grab([]);
    const probing = probeQueue(server.address, [IMPORT], TIMEOUT);
    await sleep(300);
    await worker.complete(first!.handle);
    await worker.grab([]);
    expect((await probing).refused).toHaveLength(1);
  });

  it('is probed while its only worker is busy, or none is connected', async () => {
    const server = await gearmand();
    await submit(server, 3, IMPORT);
    expect((await probeQueue(server.address, [IMPORT], TIMEOUT)).jobs).toHaveLength(3);
    const worker = await connect(server, [IMPORT, 'f']);
    await worker.grab([]);
    const {jobs, refused} = await probeQueue(server.address, [IMPORT], TIMEOUT);
    expect([jobs.map(({jobId}) => jobId), refused]).toEqual([[2, 3], []]);
  });

  it('is not probed if too many wait for a connection each, unless no worker is connected', async () => {
    const server = await gearmand();
    const count = MOST_CONNECTIONS + 5;
    await submit(server, count, IMPORT);
    const {jobs} = await probeQueue(server.address, [IMPORT], {...TIMEOUT, take: ({jobId}) => jobId === 7});
    expect(jobs).toHaveLength(count - 1);
    const worker = await connect(server, [IMPORT]);
    await worker.grab([]);
    const {refused} = await probeQueue(server.address, [IMPORT], TIMEOUT);
    expect(refused).toMatchObject([{message: expect.stringMatching(/more than 500 of them wait/)}]);
    worker.close();
    await until(async () => (await ask(server, (it) => it.status())).every((row) => row.running === 0));
    expect(new Set(await drain(server, IMPORT))).toEqual(new Set(numbers(1, count).filter((id) => id !== 7)));
  });
});

describe("Perl's server", () => {
  it('is refused if jobs wait, and keeps them; without waiting jobs it is not refused', async () => {
    const server = await startPerlGearmand();
    onTestFinished(async () => void (await server.kill()));
    expect(await probeQueue(server.address, ['f'], TIMEOUT)).toEqual({
      ...{jobs: [], removed: [], refused: [], left: []},
    });
    await submit(server, 2, 'f');
    const error = await probeQueue(server.address, ['f'], TIMEOUT).catch((caught) => caught);
    expect(error).toMatchObject({code: 'REFUSED', message: expect.stringContaining('not gearmand')});
    expect(await ask(server, (it) => it.status())).toEqual([
      {function: 'f', total: 2, running: 0, workers: 0},
    ]);
  });
});

describe('a serial job that comes while others return', () => {
  it.each([40, MOST_CONNECTIONS + 40])('stays behind them: %i', async (count) => {
    const process = await gearmand();
    await submit(process, count, 'arObjectMoveJob');
    await ask(process, async (server) => {
      const held = await holdWaiting(server, ['arObjectMoveJob'], TIMEOUT);
      const returning = held.giveBack();
      await until(async () =>
        (await ask(process, (it) => it.status())).some((row) => row.total > row.running),
      );
      await submitBackground(process.endpoint, 'arObjectMoveJob', 'late', `{"id":${count + 1}}`);
      await returning;
    });
    expect(await drain(process, 'arObjectMoveJob')).toEqual(numbers(1, count + 1));
  });
});

describe('jobs that come while others are held', () => {
  const arrivals = [
    {name: 'stay behind them', args: [], returned: 0, order: [1, 2, 3]},
    {
      name: 'are not held where one of them could be dropped, and so come before them',
      args: ['--job-retries=3'],
      returned: 2,
      order: [3, 1, 2],
    },
  ];

  it.each(arrivals)('$name', async ({args, returned, order}) => {
    const process = await gearmand(...args);
    await submit(process, 2, 'f');
    await ask(process, async (server) => {
      const held = await holdWaiting(server, ['f'], TIMEOUT);
      await submitBackground(process.endpoint, 'f', 'key-3', '{"id":3}');
      await returnAll(process, 1, returned);
      await held.giveBack();
      expect(held.jobs.map((job) => job.jobId)).toEqual([1, 2]);
    });
    expect(await drain(process)).toEqual(order);
  });
});
