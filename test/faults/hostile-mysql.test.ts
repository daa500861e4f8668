import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {connectDatabase} from '../../src/mysql/connect.ts';
import {type AtomSite, createSite} from '../support/sandbox.ts';

const PATIENCE = {timeoutSeconds: 5};

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a MySQL server that answers byte by byte is understood', async () => {
  const port = await listen((client) => {
    const server = connect(site.config.port, '127.0.0.1').setNoDelay(true);
    server.on('error', () => {}).on('close', () => client.destroy());
    client
      .on('close', () => server.destroy())
      .setNoDelay(true)
      .pipe(server);
    server.on('data', (chunk) => {
      for (const byte of chunk) client.write(Buffer.of(byte));
    });
  });
  const database = await connectDatabase({...site.config, port}, PATIENCE);
  expect(await database.query("SELECT 'é😀' AS text, 42 AS number")).toEqual([{text: 'é😀', number: 42}]);
  await database.close();
});

/** What a server may send without end. A packet says its length in three bytes, and all ones are followed by another. */
const GREETING_WITHOUT_END = Buffer.concat([
  Buffer.from([0xff, 0xff, 0xff, 0, 10]),
  Buffer.alloc(60_000, 0x61),
]);
const GREETING = Buffer.concat([
  Buffer.from([74, 0, 0, 0, 10]),
  Buffer.from('8.0.40\0', 'latin1'),
  Buffer.from([1, 0, 0, 0]),
  Buffer.from('12345678\0', 'latin1'),
  Buffer.from([0xff, 0xff, 45, 2, 0, 0xff, 0xdf, 21]),
  Buffer.alloc(10),
  Buffer.from('123456789012\0', 'latin1'),
  Buffer.from('mysql_native_password\0', 'latin1'),
]);
const PACKETS_WITHOUT_END = Buffer.concat(
  Array.from({length: 256}, (_, number) => Buffer.from([200, 0, 0, number, ...Buffer.alloc(200, 0x61)])),
);

describe('a MySQL server whose answers never end', () => {
  test.each<[string, Buffer, Buffer]>([
    ['from its greeting on', GREETING_WITHOUT_END, Buffer.alloc(60_000, 0x61)],
    ['after its greeting', GREETING, PACKETS_WITHOUT_END],
    ['after its greeting, in one packet', GREETING, Buffer.alloc(60_000, 0xff)],
  ])('%s is given up, with little of it in memory', async (_when, first, rest) => {
    const port = await listen((socket) => {
      socket.write(first);
      const pour = () => {
        while (!socket.destroyed && socket.write(rest));
      };
      if (first === GREETING) socket.once('data', pour);
      else pour();
      socket.on('drain', pour);
    });
    const before = process.memoryUsage().rss;
    const failure = await connectDatabase({...site.config, port}, PATIENCE).catch((error: unknown) => error);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    expect(failure).toMatchObject({exitStatus: 3});
    expect(grown).toBeLessThan(100);
  });
});
