/** A database that logs in as MySQL does and then answers a statement with rows without end. */
import type {Socket} from 'node:net';
import {expect, test} from 'vitest';
import {connectDatabase} from '../../src/mysql/connect.ts';
import {Secret} from '../../src/secret.ts';
import {scriptedServer} from '../support/servers/scripted-server.ts';

function packet(number: number, ...parts: (string | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, number & 255]), body]);
}

const GREETING = packet(
  0,
  [10],
  '8.0.40\0',
  [1, 0, 0, 0],
  '12345678\0',
  [0xff, 0xff, 45, 2, 0, 0xff, 0xdf, 21, ...Array<number>(10).fill(0)],
  '123456789012\0',
  'mysql_native_password\0',
);
const DONE = (number: number) => packet(number, [0, 0, 0, 2, 0, 0, 0]);
const text = (value: string) => [value.length, ...Buffer.from(value)];
/** One column of a text, `x`; in a row it is 60,000 bytes long. */
const HEAD = Buffer.concat([
  packet(1, [1]),
  packet(2, text('def'), [0, 0, 0], text('x'), [0, 12, 45, 0, 0, 0, 1, 0, 253, 0, 0, 0, 0, 0]),
  packet(3, [0xfe, 0, 0, 2, 0]),
]);
const ROWS = Buffer.concat(
  Array.from({length: 256}, (_, number) => packet(number + 4, [0xfc, 0x60, 0xea], 'x'.repeat(60_000))),
);

function serve(socket: Socket): void {
  socket.write(GREETING);
  socket.once('data', () => {
    socket.write(DONE(2));
    // What sets the session.
    socket.once('data', () => {
      socket.write(DONE(1));
      socket.once('data', () => {
        socket.write(HEAD);
        const pour = () => {
          while (!socket.destroyed && socket.write(ROWS));
        };
        pour();
        socket.on('drain', pour);
      });
    });
  });
}

test('a statement whose rows never end is given up, with little of them in memory', async () => {
  const {host, port} = await scriptedServer(serve);
  const tls = {mode: 'off', caFile: null, certFile: undefined, keyFile: undefined} as const;
  const login = {
    user: 'atom',
    password: new Secret('x'),
    database: 'atom',
    socketPath: null,
    serverKeyFile: undefined,
  };
  const database = await connectDatabase({...login, host, port, tls}, {timeoutSeconds: 5});
  const before = process.memoryUsage().rss;
  await expect(database.query('SELECT x FROM job')).rejects.toMatchObject({
    code: 'DATABASE_LOST',
    message: expect.stringContaining('more than 256 MiB'),
  });
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(1000);
  await database.close();
});
