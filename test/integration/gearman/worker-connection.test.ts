import {afterAll, beforeAll, expect, it, onTestFinished} from 'vitest';
import {PACKET} from '../../../src/gearman/packet.ts';
import {connectServer, type GearmanServer} from '../../../src/gearman/server.ts';
import {connectWorker, type WorkerConnection} from '../../../src/gearman/worker-connection.ts';
import {
  type GearmanProcess,
  startGearmand,
  startPerlGearmand,
  submitBackground,
} from '../../support/sandbox.ts';
import {connectGearman} from '../../support/servers/gearman-wire.mjs';

/** A worker says that it sleeps on its connection; the server wakes it there. atomctl never sleeps. */
const PRE_SLEEP = 4;
const NOOP = 6;

const TIMEOUT = {timeoutSeconds: 5};

let gearmand: GearmanProcess;
let server: GearmanServer;
beforeAll(async () => {
  gearmand = await startGearmand();
  server = await connectServer(gearmand.address, TIMEOUT);
});
afterAll(async () => {
  server.close();
  await gearmand.kill();
});

async function connected(): Promise<WorkerConnection> {
  const worker = await connectWorker(gearmand.address, TIMEOUT);
  onTestFinished(() => worker.close());
  return worker;
}

it('gets a complete job, also bytes beyond ASCII and NUL', async () => {
  const worker = await connected();
  expect(await worker.grab(['whole'])).toBeNull();
  const payload = '{"name":"Ünïcödé \u{1f5c4}"}\0more';
  const handle = await submitBackground(gearmand.endpoint, 'whole', 'key', payload);
  expect(await worker.grab(['whole'])).toEqual({
    handle,
    function: 'whole',
    unique: 'key',
    payload: Buffer.from(payload),
  });
  await worker.complete(handle);
  expect(await server.statusOfHandles([handle])).toEqual([{known: false, running: false}]);
});

it('counts as one worker however often it asks', async () => {
  const worker = await connected();
  for (let times = 0; times < 3; times += 1) await worker.grab(['once']);
  const row = (await server.status()).find(({function: name}) => name === 'once');
  expect(row).toMatchObject({workers: 1});
});

it('gives back at once, and a sleeping worker is woken for it', async () => {
  const sleeper = await connectGearman(gearmand.endpoint);
  onTestFinished(() => sleeper.close());
  const holder = await connected();
  const handle = await submitBackground(gearmand.endpoint, 'back', 'key', '{}');
  await holder.grab(['back']);
  sleeper.send(PACKET.CAN_DO, 'back');
  sleeper.send(PACKET.GRAB_JOB_UNIQ);
  expect((await sleeper.receive())?.type).toBe(PACKET.NO_JOB);
  sleeper.send(PRE_SLEEP);
  sleeper.send(PACKET.ECHO_REQ, 'asleep');
  expect((await sleeper.receive())?.type).toBe(PACKET.ECHO_RES);

  await holder.giveBack();
  expect(await server.statusOfHandles([handle])).toEqual([{known: true, running: false}]);
  expect((await sleeper.receive())?.type).toBe(NOOP);
  sleeper.send(PACKET.GRAB_JOB_UNIQ);
  expect((await sleeper.receive())?.fields[0]).toBe(handle);
});

it('learns that a job to be failed is not there', async () => {
  const worker = await connected();
  await expect(worker.fail('H:none:1')).rejects.toMatchObject({
    code: 'GEARMAN_PROTOCOL',
    message: expect.stringContaining('refused "WORK_FAIL" (JOB_NOT_FOUND)'),
  });
});

it("is refused by Perl's server, which then keeps the job", async () => {
  const perl = await startPerlGearmand();
  onTestFinished(async () => void (await perl.kill()));
  await submitBackground(perl.endpoint, 'f', 'key', '{}');
  const worker = await connectWorker(perl.address, TIMEOUT);
  onTestFinished(() => worker.close());
  await expect(worker.grab(['f'])).rejects.toMatchObject({code: 'GEARMAN_PROTOCOL'});
  const asker = await connectServer(perl.address, TIMEOUT);
  onTestFinished(() => asker.close());
  expect((await asker.status())[0]).toMatchObject({total: 1, running: 0});
});
