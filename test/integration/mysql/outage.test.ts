import {once} from 'node:events';
import {type AddressInfo, createServer, type Server} from 'node:net';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database, DatabaseConfig} from '../../../src/mysql/database.ts';
import {Secret} from '../../../src/secret.ts';
import {type AtomSite, createSite, freePort} from '../../support/sandbox.ts';
import {type StallingProxy, startStallingProxy} from '../../support/servers/stalling-proxy.ts';

const PATIENCE = {timeoutSeconds: 0.3};
const ENDLESS = 'SELECT 1 FROM seq_1_to_1000000 a, seq_1_to_1000000 b WHERE a.seq + b.seq < 0';

let site: AtomSite;
let config: DatabaseConfig;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  site = await createSite();
  config = site.config;
});

afterAll(() => site?.drop());

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function failureOf(promise: Promise<unknown>): Promise<AtomctlError> {
  const failure = await promise.then(
    () => 'no failure',
    (error) => error,
  );
  expect(failure).toBeInstanceOf(AtomctlError);
  return failure;
}

/** A server that says `greeting`, if anything, and never answers. */
async function listen(greeting: string | Buffer | null, close = false): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    if (greeting !== null) socket.write(greeting);
    if (close) socket.end();
    cleanups.push(() => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function throughProxy(): Promise<{proxy: StallingProxy; database: Database}> {
  const proxy = await startStallingProxy(config.port);
  cleanups.push(() => proxy.close());
  const database = await connectDatabase({...config, port: proxy.port}, PATIENCE);
  cleanups.push(() => database.close());
  return {proxy, database};
}

describe('connecting', () => {
  test.each<[string, () => Partial<DatabaseConfig> | Promise<Partial<DatabaseConfig>>, string, RegExp]>([
    ['a closed port', async () => ({port: await freePort()}), 'DATABASE_UNREACHABLE', /connection refused/],
    ['no socket', () => ({host: null, socketPath: '/nowhere.sock'}), 'DATABASE_UNREACHABLE', /nowhere/],
    ['a silent server', async () => ({port: await listen(null)}), 'DATABASE_TIMEOUT', /within 0\.3 s/],
    [
      'half a greeting',
      async () => ({port: await listen(Buffer.from([60, 0, 0, 0, 10, 56]))}),
      'DATABASE_TIMEOUT',
      /login within/,
    ],
    [
      'a web server',
      async () => ({port: await listen('HTTP/1.1 400 Bad\r\n\r\n')}),
      'DATABASE_UNREACHABLE',
      /not a MySQL server/,
    ],
    [
      'a server that hangs up',
      async () => ({port: await listen(null, true)}),
      'DATABASE_UNREACHABLE',
      /closed the connection/,
    ],
    [
      'a server that is full',
      async () => ({port: await listen(errorPacket(1040, 'Too many connections'), true)}),
      'DATABASE_UNREACHABLE',
      /has too many connections/,
    ],
    [
      'a wrong password',
      () => ({password: new Secret('wrong-and-secret')}),
      'DATABASE_LOGIN_REFUSED',
      /login of "atom" with a password/,
    ],
    [
      'an unknown user',
      () => ({user: 'nobody', password: new Secret('')}),
      'DATABASE_LOGIN_REFUSED',
      /"nobody" without a password/,
    ],
    [
      'an unknown database',
      () => ({database: 'atom_nowhere'}),
      'DATABASE_UNKNOWN',
      /no database "atom_nowhere"/,
    ],
    [
      'a database of others',
      () => ({database: 'mysql'}),
      'DATABASE_LOGIN_REFUSED',
      /no database "mysql" for the user "atom"/,
    ],
  ])('%s', async (_, change, code, message) => {
    const given = {...config, ...(await change())};
    const failure = await failureOf(connectDatabase(given, PATIENCE));
    expect(failure).toMatchObject({code, exitStatus: 3, message: expect.stringMatching(message)});
    expect(failure.hint).toBeTruthy();
    const everything = [failure.message, failure.hint, failure.stack, (failure.cause as Error)?.stack].join();
    if (!given.password.isEmpty) expect(everything).not.toContain(given.password.reveal());
  });

  test('a server that stops answering after its greeting', async () => {
    const proxy = await startStallingProxy(config.port);
    cleanups.push(() => proxy.close());
    const failure = failureOf(connectDatabase({...config, port: proxy.port}, PATIENCE));
    while (proxy.received() === 0) await new Promise(setImmediate);
    proxy.stall();
    expect((await failure).code).toBe('DATABASE_TIMEOUT');
  });
});

/** The rows of the answer, as arrays. */
type Ask = (database: Database, sql: string) => Promise<unknown>;

async function askRowByRow(database: Database, sql: string): Promise<unknown> {
  const rows: unknown[] = [];
  await database.visit(sql, [], (row) => rows.push(row));
  return rows;
}

describe.each<[string, Ask]>([
  ['as a whole', async (database, sql) => (await database.query(sql)).map(Object.values)],
  ['row by row', askRowByRow],
])('a statement whose answer is read %s', (_, ask) => {
  test('may take longer than the timeout while the server lives', async () => {
    const {database} = await throughProxy();
    expect(await ask(database, 'SELECT SLEEP(1) AS slept')).toEqual([[0]]);
  });

  test('fails when the server stops answering, and so do later statements', async () => {
    const {proxy, database} = await throughProxy();
    const failure = failureOf(ask(database, 'SELECT SLEEP(1)'));
    proxy.stall();
    expect((await failure).code).toBe('DATABASE_TIMEOUT');
    expect((await failureOf(ask(database, 'SELECT 1'))).code).toBe('DATABASE_LOST');
  });

  test('fails when the connection is cut, during it or before it', async () => {
    const {proxy, database} = await throughProxy();
    const failure = failureOf(ask(database, 'SELECT SLEEP(1)'));
    proxy.cut();
    expect((await failure).code).toBe('DATABASE_LOST');
    expect((await failureOf(ask(database, 'SELECT 1'))).code).toBe('DATABASE_LOST');
  });

  test('names an administrator who ends it or the connection', async () => {
    const {database} = await throughProxy();
    const administrator = await connectDatabase(config, PATIENCE);
    cleanups.push(() => administrator.close());
    const [{id}] = (await database.query<{id: number}>('SELECT CONNECTION_ID() AS id')) as [{id: number}];
    for (const [kill, code] of [
      ['KILL QUERY', 'DATABASE_ERROR'],
      ['KILL', 'DATABASE_LOST'],
    ] as const) {
      const failure = failureOf(ask(database, ENDLESS));
      await executing(administrator, id);
      await administrator.execute(`${kill} ${id}`);
      expect((await failure).code).toBe(code);
    }
  });
});

async function executing(administrator: Database, id: number): Promise<void> {
  const running = "SELECT 1 FROM information_schema.processlist WHERE id = ? AND command = 'Query'";
  while ((await administrator.query(running, [id])).length === 0);
}

/** As a server greets whom it cannot take in. */
function errorPacket(errno: number, message: string): Buffer {
  const body = Buffer.concat([
    Buffer.from([0xff, errno & 0xff, errno >> 8]),
    Buffer.from(`#08004${message}`),
  ]);
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
}
