import {constants, generateKeyPairSync, privateDecrypt} from 'node:crypto';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {type AddressInfo, connect, createServer, Socket} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {connectDatabase} from '../../src/mysql/connect.ts';
import {Secret} from '../../src/secret.ts';
import {type AtomSite, createScratch, createSite} from '../support/sandbox.ts';

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

describe('a server that asks for the password by a key of its own (S4)', () => {
  const SCRAMBLE = Buffer.from('12345678123456789012');
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: {type: 'spki', format: 'pem'},
    privateKeyEncoding: {type: 'pkcs8', format: 'pem'},
  });

  function packet(number: number, ...parts: Buffer[]): Buffer {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, number]), body]);
  }

  /** caching_sha2_password to its end. Resolves to the port, and to what arrives instead of the password's hash. */
  async function thief(plugin: string): Promise<{port: number; secrets: Buffer[]}> {
    const secrets: Buffer[] = [];
    const answers: ((reply: Buffer) => Buffer[])[] = [
      () => [Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), SCRAMBLE, Buffer.alloc(1)],
      (reply) =>
        plugin === 'sha256_password' && reply.length > 5
          ? []
          : plugin === 'sha256_password'
            ? [Buffer.from([1]), Buffer.from(keys.publicKey)]
            : [Buffer.from([1, 4])],
      (reply) => (reply.length > 5 ? [] : [Buffer.from([1]), Buffer.from(keys.publicKey)]),
    ];
    const port = await listen((socket) => {
      let number = 2;
      socket.write(GREETING);
      socket.on('data', (reply: Buffer) => {
        if (reply.length > 200 + 4) secrets.push(reply.subarray(4));
        const answer = answers.shift()?.(reply) ?? [];
        if (answer.length === 0) return socket.destroy();
        socket.write(packet(number, ...answer));
        number += 2;
      });
    });
    return {port, secrets};
  }

  function decrypted(bytes: Buffer): string {
    const padded = {key: keys.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1'};
    return privateDecrypt(padded, bytes)
      .map((byte, index) => byte ^ SCRAMBLE[index % SCRAMBLE.length]!)
      .toString();
  }

  /** Sockets say that their peer is on another host: what `remoteAddress` calls cannot be replaced itself. */
  function seemDistant(): void {
    const peer = vi.spyOn(Socket.prototype as unknown as {_getpeername(): object}, '_getpeername');
    peer.mockReturnValue({address: '192.0.2.1', family: 'IPv4', port: 3306});
    onTestFinished(() => peer.mockRestore());
  }

  const config = () => ({...site.config, password: new Secret('hunter2')});

  test.each(['caching_sha2_password', 'sha256_password'])(
    '%s: S4: gets nothing over a network',
    async (plugin) => {
      seemDistant();
      const {port, secrets} = await thief(plugin);
      await expect(connectDatabase({...config(), port}, PATIENCE)).rejects.toMatchObject({
        code: 'DATABASE_LOGIN_REFUSED',
        message: expect.stringContaining('without TLS, so the password was not sent'),
      });
      expect(secrets).toEqual([]);
    },
  );

  test('S4: over a network only the key that was given is used', async () => {
    seemDistant();
    const {publicKey} = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: {type: 'spki', format: 'pem'},
      privateKeyEncoding: {type: 'pkcs8', format: 'pem'},
    });
    const serverKeyFile = join(createScratch('key'), 'public.pem');
    writeFileSync(serverKeyFile, publicKey);
    const {port, secrets} = await thief('caching_sha2_password');
    await expect(connectDatabase({...config(), port, serverKeyFile}, PATIENCE)).rejects.toThrow();
    expect(secrets).toHaveLength(1);
    expect(() => decrypted(secrets[0]!)).toThrow();
  });

  test('on this host the key of the server is used', async () => {
    const {port, secrets} = await thief('caching_sha2_password');
    await expect(connectDatabase({...config(), port}, PATIENCE)).rejects.toThrow();
    expect(secrets.map(decrypted)).toEqual(['hunter2\0']);
  });
});

test('a MySQL server that asks for a file of this host gets none', async () => {
  let received = Buffer.alloc(0);
  const answers = [
    Buffer.from([7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]),
    Buffer.concat([Buffer.from([12, 0, 0, 1, 0xfb]), Buffer.from('/etc/passwd')]),
  ];
  const port = await listen((socket) => {
    socket.write(GREETING);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const answer = answers.shift();
      if (answer) socket.write(answer);
    });
  });
  await expect(connectDatabase({...site.config, port}, {timeoutSeconds: 2})).rejects.toThrow();
  expect(answers).toEqual([]);
  // The login says that files are not given: bit 7 of the capabilities.
  expect(received.readUInt32LE(4) & 0x80).toBe(0);
  expect(received.toString()).not.toContain('root:');
});
