import {createServer} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {describe, expect, it, onTestFinished} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {formatAddress, type ServerAddress} from '../../../src/gearman/address.ts';
import {PACKET} from '../../../src/gearman/packet.ts';
import {connectServer, connectServers, type GearmanServer} from '../../../src/gearman/server.ts';
import {response, scriptedServer} from '../../support/servers/scripted-server.ts';

async function connected(address: ServerAddress, timeoutSeconds = 5): Promise<GearmanServer> {
  const server = await connectServer(address, {timeoutSeconds});
  onTestFinished(() => server.close());
  return server;
}

/** Answers every line or packet that arrives with the next of these texts. */
function answering(...answers: (string | Buffer)[]): (socket: Socket) => void {
  return (socket) => socket.on('data', () => void socket.write(answers.shift() ?? 'ERR nothing left\r\n'));
}

async function failure(promise: Promise<unknown>): Promise<AtomctlError> {
  const error = await promise.then(
    (value) => new Error(`did not fail but gave ${JSON.stringify(value)}`),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(AtomctlError);
  return error as AtomctlError;
}

describe('an answer', () => {
  it('may come in many pieces', async () => {
    const address = await scriptedServer((socket) =>
      socket.on('data', async () => {
        for (const piece of ['f\t2', '\t1\t1\ng\t0\t0', '\t0\n', '.', '\n']) {
          socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }),
    );
    const rows = await (await connected(address)).status();
    expect(rows.map((row) => row.function)).toEqual(['f', 'g']);
  });

  it('S12: counts the lines that it leaves out, of the latest answer of each kind', async () => {
    const address = await scriptedServer(answering('f\t2\t1\t1\nx\ny\t0\t0\t0\n.\n', 'k\n?\n.\n', '.\n'));
    const server = await connected(address);
    expect(server.skippedLines).toBe(0);
    expect((await server.status()).map((row) => row.function)).toEqual(['f']);
    expect(server.skippedLines).toBe(2);
    await server.uniqueKeys();
    expect(server.skippedLines).toBe(2);
    await server.status();
    expect(server.skippedLines).toBe(0);
  });

  it('belongs to its request, if several are sent at once', async () => {
    const address = await scriptedServer(answering('OK 1.1.20\n', '.\n', 'k\n.\n'));
    const server = await connected(address);
    const [version, functions, keys] = await Promise.all([
      server.version(),
      server.status(),
      server.uniqueKeys(),
    ]);
    expect([version.version, functions, keys]).toEqual(['1.1.20', [], ['k']]);
  });

  it('is found by its key, if a server does not answer all', async () => {
    const packets = Buffer.concat([
      response(PACKET.STATUS_RES_UNIQUE, 'b', '1', '1', '0', '0', '1'),
      response(PACKET.STATUS_RES_UNIQUE, 'a', '1', '0', '0', '0', '1'),
      response(PACKET.ECHO_RES, 'atomctl'),
    ]);
    const server = await connected(await scriptedServer(answering(packets)));
    expect(await server.statusOfUniqueKeys(['a', 'none', 'b'])).toEqual([
      {known: true, running: false},
      {known: false, running: false},
      {known: true, running: true},
    ]);
    expect(await server.statusOfUniqueKeys([])).toEqual([]);
  });
});

describe('a failure', () => {
  it('of a port that does not answer is a timeout that names the server and the command', async () => {
    const address = await scriptedServer(() => {});
    const server = await connected(address, 0.05);
    const error = await failure(server.status());
    expect(error.code).toBe('GEARMAN_TIMEOUT');
    expect(error.message).toBe(
      `Gearman server ${formatAddress(address)} did not answer "status" within 0.05 s.`,
    );
    expect((await failure(server.statusOfHandles(['H:1']))).code).toBe('GEARMAN_TIMEOUT');
  });

  it('of a list that never ends is a timeout, however busily it is sent', async () => {
    const address = await scriptedServer((socket) => {
      const timer = setInterval(() => socket.write('f\t0\t0\t0\n'), 5);
      onTestFinished(() => clearInterval(timer));
    });
    expect((await failure((await connected(address, 0.1)).status())).code).toBe('GEARMAN_TIMEOUT');
  });

  it('S12: of a list beyond the limit says so', async () => {
    const block = Buffer.alloc(1024 * 1024, 'f\t0\t0\t0\n');
    const address = await scriptedServer((socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write(block));
      };
      socket.on('data', pour);
      socket.on('drain', pour);
    });
    const error = await failure((await connected(address)).status());
    expect(error.code).toBe('GEARMAN_PROTOCOL');
    expect(error.message).toContain('larger than 4 MiB');
  });

  it('S12: of a list with too many lines says so', async () => {
    const lines = Buffer.alloc(201_000 * 8, 'f\t0\t0\t0\n');
    const server = await connected(
      await scriptedServer(answering(Buffer.concat([lines, Buffer.from('.\n')]))),
    );
    const error = await failure(server.status());
    expect([error.code, error.message]).toEqual([
      'GEARMAN_PROTOCOL',
      expect.stringContaining('"status" has more lines than atomctl reads (200000)'),
    ]);
  });

  it.each<[string, (socket: Socket) => void, string, string]>([
    [
      'of a greeting',
      (socket) => socket.write('SSH-2.0-x\r\n'),
      'GEARMAN_PROTOCOL',
      'does not speak the Gearman protocol',
    ],
    ['of a closed connection', (socket) => socket.end(), 'GEARMAN_UNREACHABLE', 'closed the connection'],
    [
      'of a half-closed one',
      (socket) => socket.end('f\t0\t0'),
      'GEARMAN_PROTOCOL',
      'in the middle of its answer',
    ],
    ['of a reset one', (socket) => socket.resetAndDestroy(), 'GEARMAN_UNREACHABLE', 'cannot be reached'],
  ])('%s is one sentence', async (_name, act, code, sentence) => {
    const address = await scriptedServer((socket) => socket.on('data', () => act(socket)));
    const error = await failure((await connected(address)).status());
    expect(error.code).toBe(code);
    expect(error.message).toContain(sentence);
    expect(error.message).toContain(formatAddress(address));
    expect(error.hint).toBeDefined();
  });

  it('of an HTTP server says that the port is wrong', async () => {
    const http = createServer((_request, reply) => reply.end());
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void http.close());
    const address = {host: '127.0.0.1', port: (http.address() as AddressInfo).port};
    expect((await failure((await connected(address)).status())).code).toBe('GEARMAN_PROTOCOL');
  });

  it('leaves the next question free to succeed on a new connection', async () => {
    let connections = 0;
    const address = await scriptedServer((socket) => {
      connections += 1;
      const second = connections > 1;
      socket.on('data', () => socket.write(second ? '.\n' : 'ERR UNKNOWN_COMMAND x%1b[31m\r\n'));
    });
    const server = await connected(address);
    const error = await failure(server.jobs());
    expect(error.message).toBe(
      `Gearman server ${formatAddress(address)} refused "show jobs" (UNKNOWN_COMMAND).`,
    );
    expect(await server.status()).toEqual([]);
  });

  it('comes to every question that is open when the server is closed, and to those after', async () => {
    const server = await connected(await scriptedServer(() => {}));
    const open = [failure(server.status()), failure(server.version())];
    server.close();
    open.push(failure(server.jobs()), failure(server.statusOfHandles(['H:1'])));
    for (const error of await Promise.all(open)) expect(error).toBeInstanceOf(AtomctlError);
  });
});

describe('connecting', () => {
  it('tries IPv6 if localhost does not listen on IPv4', async ({skip}) => {
    const ipv6 = await scriptedServer(answering('.\n'), '::1').catch(() => skip('no IPv6 loopback here'));
    const server = await connected({host: 'localhost', port: ipv6.port});
    expect(await server.status()).toEqual([]);
  });

  it('to several servers lets one fail without the others', async () => {
    const good = await scriptedServer(answering('.\n'));
    const refused = {host: '127.0.0.1', port: 1};
    const unresolvable = {host: 'no-such-host.invalid', port: 4730};
    const [first, second, third] = await connectServers([refused, good, unresolvable], {timeoutSeconds: 5});
    expect(first).toMatchObject({address: refused, error: {code: 'GEARMAN_UNREACHABLE'}});
    expect(third).toMatchObject({error: {message: expect.stringContaining('cannot be resolved')}});
    if (!second || !('server' in second)) throw new Error('the good one did not connect');
    onTestFinished(() => second.server.close());
    expect(await second.server.status()).toEqual([]);
  });
});
