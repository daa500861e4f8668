import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {PACKET, request} from '../../../src/gearman/packet.ts';
import {connectServer, type GearmanServer} from '../../../src/gearman/server.ts';
import {connectWorker} from '../../../src/gearman/worker-connection.ts';
import {startGearmand, startPerlGearmand} from '../../support/sandbox.ts';
import {FakeGearman} from '../../support/servers/fake-gearman.ts';
import {until} from '../../support/until.ts';

interface Worker {
  grab(): Promise<string | null>;
  end(handle: string): Promise<void>;
  leave(): Promise<void>;
}

/** A Gearman server, and the client and the worker that set up what is asked of it. */
interface Bench {
  server: GearmanServer;
  submit(name: string, unique: string): Promise<string>;
  work(functions: readonly string[]): Promise<Worker>;
  stop(): Promise<unknown>;
}

async function realBench(start: typeof startGearmand | typeof startPerlGearmand): Promise<Bench> {
  const process = await start();
  const server = await connectServer(process.address, {timeoutSeconds: 5});
  return {
    server,
    submit: (name, unique) => server.submitBackground({function: name, unique, payload: '{}'}),
    async work(functions) {
      const worker = await connectWorker(process.address, {timeoutSeconds: 5});
      await worker.exchange(
        functions.map((name) => request(PACKET.CAN_DO, name)),
        'CAN_DO',
      );
      return {
        grab: async () => (await worker.grab([]))?.handle ?? null,
        end: (handle) => worker.complete(handle),
        async leave() {
          worker.close();
          await until(async () => (await server.connections()).every((one) => one.functions.length === 0));
        },
      };
    },
    async stop() {
      server.close();
      await process.kill();
    },
  };
}

async function fakeBench(implementation: 'gearmand' | 'perl'): Promise<Bench> {
  const server = new FakeGearman({implementation});
  return {
    server,
    submit: (name, unique) => server.submitBackground({function: name, unique}),
    async work(functions) {
      const worker = server.work(functions);
      return {
        grab: async () => worker.grab(),
        end: async (handle) => worker.end(handle),
        leave: async () => worker.leave(),
      };
    },
    stop: async () => server.close(),
  };
}

let bench: Bench;
afterEach(() => bench.stop());

describe.each([
  ['gearmand', () => realBench(startGearmand)],
  ['the fake', () => fakeBench('gearmand')],
])('%s', (_name, start) => {
  beforeEach(async () => {
    bench = await start();
  });

  it('tells what it is', async () => {
    expect(await bench.server.version()).toEqual({
      implementation: 'gearmand',
      version: expect.stringMatching(/^1\./),
    });
  });

  it('has nothing at first but the connection that asks', async () => {
    const {server} = bench;
    const [own] = await server.connections();
    expect(own).toEqual({fd: expect.any(Number), ip: '127.0.0.1', id: '-', functions: []});
    expect(await Promise.all([server.status(), server.jobs(), server.uniqueKeys()])).toEqual([[], [], []]);
    expect(await server.statusOfUniqueKeys(['k'])).toEqual([{known: false, running: false}]);
    expect(await server.statusOfHandles(['H:1', 'H:2'])).toEqual([
      {known: false, running: false},
      {known: false, running: false},
    ]);
  });

  it('follows a job from the queue to its end', async () => {
    const {server} = bench;
    const worker = await bench.work(['f']);
    const first = await bench.submit('f', 'k1');
    const second = await bench.submit('f', 'k2');
    expect(await bench.submit('f', 'k1')).toBe(first);
    expect(await server.status()).toEqual([{function: 'f', total: 2, running: 0, workers: 1}]);
    expect(await server.jobs()).toEqual(
      expect.arrayContaining([
        {handle: first, retries: 0, ignored: false, durable: true},
        {handle: second, retries: 0, ignored: false, durable: true},
      ]),
    );
    expect((await server.uniqueKeys()).sort()).toEqual(['k1', 'k2']);

    expect(await worker.grab()).toBe(first);
    expect(await server.priorities()).toEqual([{function: 'f', high: 0, normal: 1, low: 0}]);
    expect(await server.status()).toEqual([{function: 'f', total: 2, running: 1, workers: 1}]);
    expect(await server.statusOfUniqueKeys(['k2', 'k1', 'k3'])).toEqual([
      {known: true, running: false},
      {known: true, running: true},
      {known: false, running: false},
    ]);
    expect(await server.statusOfHandles([second, first])).toEqual([
      {known: true, running: false},
      {known: true, running: true},
    ]);

    await worker.end(first);
    expect(await server.statusOfHandles([first])).toEqual([{known: false, running: false}]);
    expect(await worker.grab()).toBe(second);
    await worker.end(second);
    await worker.leave();
    expect(await server.status()).toEqual([{function: 'f', total: 0, running: 0, workers: 0}]);
  });

  it('shows workers by what they can do', async () => {
    await bench.work(['f', 'g']);
    const workers = (await bench.server.connections()).filter((one) => one.functions.length > 0);
    expect(workers.map((worker) => [...worker.functions].sort())).toEqual([['f', 'g']]);
  });

  it('queues what a dead worker held again, at the end, in reverse, with a retry', async () => {
    const a = await bench.submit('f', 'a');
    const b = await bench.submit('f', 'b');
    const c = await bench.submit('f', 'c');
    const dying = await bench.work(['f']);
    expect([await dying.grab(), await dying.grab()]).toEqual([a, b]);
    await dying.leave();

    const retries = new Map((await bench.server.jobs()).map((job) => [job.handle, job.retries]));
    expect([a, b, c].map((handle) => retries.get(handle))).toEqual([1, 1, 0]);
    const next = await bench.work(['f']);
    expect([await next.grab(), await next.grab(), await next.grab(), await next.grab()]).toEqual([
      c,
      b,
      a,
      null,
    ]);
  });

  it('never hands out a cancelled job', async () => {
    const {server} = bench;
    const cancelled = await bench.submit('f', 'k1');
    const other = await bench.submit('f', 'k2');
    expect(await server.cancel(cancelled)).toBe(true);
    expect(await server.cancel('H:none:1')).toBe(false);
    expect((await server.jobs()).find((job) => job.handle === cancelled)).toMatchObject({ignored: true});
    const worker = await bench.work(['f']);
    expect(await worker.grab()).toBe(other);
    expect(await server.statusOfHandles([cancelled])).toEqual([{known: false, running: false}]);
  });

  it('forgets a function that nobody can do', async () => {
    const worker = await bench.work(['f']);
    expect(await bench.server.dropFunction('f')).toBe(false);
    await worker.leave();
    expect(await bench.server.dropFunction('f')).toBe(true);
    expect(await bench.server.dropFunction('f')).toBe(false);
    expect(await bench.server.status()).toEqual([]);
  });
});

describe.each([
  ["Perl's server", () => realBench(startPerlGearmand)],
  ['the fake of it', () => fakeBench('perl')],
])('%s', (_name, start) => {
  beforeEach(async () => {
    bench = await start();
  });

  it('answers the commands that it knows, and refuses the others by name', async () => {
    const {server} = bench;
    const handle = await bench.submit('f', 'k');
    expect(await server.version()).toMatchObject({
      implementation: 'perl',
      version: expect.stringMatching(/^1\./),
    });
    expect(await server.status()).toEqual([{function: 'f', total: 1, running: 0, workers: 0}]);
    expect((await server.connections()).every((one) => one.functions.length === 0)).toBe(true);
    expect(await server.statusOfHandles([handle, 'H:0'])).toEqual([
      {known: true, running: false},
      {known: false, running: false},
    ]);
    for (const [asked, question] of [
      ['show jobs', () => server.jobs()],
      ['show unique jobs', () => server.uniqueKeys()],
      ['cancel job', () => server.cancel(handle)],
      ['drop function', () => server.dropFunction('f')],
      ['GET_STATUS_UNIQUE', () => server.statusOfUniqueKeys(['k'])],
    ] as const) {
      await expect(question(), asked).rejects.toMatchObject({
        code: 'GEARMAN_PROTOCOL',
        message: expect.stringContaining(`refused "${asked}`),
      });
    }
    expect(await server.status()).toHaveLength(1);
  });
});
