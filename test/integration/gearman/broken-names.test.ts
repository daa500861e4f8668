import {expect, it, onTestFinished} from 'vitest';
import {PACKET, request} from '../../../src/gearman/packet.ts';
import {connectServer} from '../../../src/gearman/server.ts';
import {connectWorker} from '../../../src/gearman/worker-connection.ts';
import {startGearmand, submitBackground} from '../../support/sandbox.ts';

const TIMEOUT = {timeoutSeconds: 5};

/** Names that any client of a shared server can register; gearmand keeps their rows until it restarts. */
const BROKEN = ['first\nsecond', 'f\nhidden\t7\t0\t7', '.\n.', '\n', 'ERR no'];

it('reads the rest of a list if a function name has a line break (T20)', async () => {
  const gearmand = await startGearmand();
  const [server, worker] = await Promise.all([
    connectServer(gearmand.address, TIMEOUT),
    connectWorker(gearmand.address, TIMEOUT),
  ]);
  onTestFinished(async () => {
    server.close();
    worker.close();
    await gearmand.kill();
  });
  await submitBackground(gearmand.endpoint, 'ours', 'key', '{}');
  const names = [...BROKEN, 'line\u2028separator', 'ours'];
  await worker.exchange(
    names.map((name) => request(PACKET.CAN_DO, name)),
    'CAN_DO',
  );

  const rows = new Map((await server.status()).map((row) => [row.function, row]));
  expect(rows.get('ours')).toEqual({function: 'ours', total: 1, running: 0, workers: 1});
  expect(rows.get('line\u2028separator')).toMatchObject({total: 0, workers: 1});
  expect([...rows.keys()]).not.toContain('second');
  expect(await server.connections()).toHaveLength(2);
  expect(await server.jobs()).toHaveLength(1);

  worker.close();
  await expect.poll(async () => (await server.connections()).length).toBe(1);
  expect((await server.status()).map((row) => row.function)).toContain('ours');
});
