import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {type AtomSite, createSite, until} from '../../support/sandbox.ts';
import {type StallingProxy, startStallingProxy} from '../../support/servers/stalling-proxy.ts';

/** A gigabyte of rows, should anybody read them all. */
const MILLION = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_1000000";

let site: AtomSite;
let proxy: StallingProxy;
let database: Database;

beforeAll(async () => {
  site = await createSite();
  proxy = await startStallingProxy(site.config.port);
  database = await connect();
});

afterAll(async () => {
  await database?.close();
  await proxy?.close();
  await site?.drop();
});

function connect(): Promise<Database> {
  return connectDatabase({...site.config, port: proxy.port}, {timeoutSeconds: 0.3});
}

function connectionsOnServer(): Promise<number> {
  const here = 'SELECT 1 FROM information_schema.processlist WHERE db = DATABASE()';
  return database.query(here).then((rows) => rows.length);
}

test('gives rows as arrays, in order, and leaves the connection for other statements', async () => {
  const seen: unknown[] = [];
  for await (const row of database.stream('SELECT seq, ?, NULL FROM seq_1_to_1000', ['é'])) {
    if (seen.length === 500) expect(await database.query('SELECT 1 AS one')).toEqual([{one: 1}]);
    seen.push(row);
  }
  expect(seen).toHaveLength(1000);
  expect(seen[999]).toEqual([1000, 'é', null]);
});

test('stops the statement when its reader stops, without reading the rest', async () => {
  const before = proxy.received();
  const others = await connectionsOnServer();
  for await (const [id] of database.stream(MILLION)) if (id === 10) break;
  await until(async () => (await connectionsOnServer()) === others);
  expect(proxy.received() - before).toBeLessThan(50_000_000);
});

test('an error of its reader ends it too', async () => {
  const others = await connectionsOnServer();
  const reading = (async () => {
    for await (const _ of database.stream(MILLION)) throw new RangeError('disk full');
  })();
  await expect(reading).rejects.toThrow(RangeError);
  await until(async () => (await connectionsOnServer()) === others);
});

test('waits for a slow reader, taking no more than it reads and asking nothing of the server', async () => {
  const before = {connections: proxy.connections(), received: proxy.received()};
  let rows = 0;
  for await (const _ of database.stream(`${MILLION} LIMIT 100000`)) {
    rows++;
    if (rows !== 100) continue;
    await sleep(1000);
    expect(proxy.received() - before.received).toBeLessThan(50_000_000);
  }
  expect(rows).toBe(100_000);
  expect(proxy.connections()).toBe(before.connections + 1);
});

test('an error of the statement reaches the reader', async () => {
  const reading = (async () => {
    for await (const _ of database.stream('SELECT nothing FROM seq_1_to_10'));
  })();
  await expect(reading).rejects.toMatchObject({code: 'DATABASE_NOT_ATOM'});
});

test('a connection that breaks or stalls ends it with an error', async () => {
  for (const [happens, code] of [
    ['cut', 'DATABASE_LOST'],
    ['stall', 'DATABASE_TIMEOUT'],
  ] as const) {
    const reading = (async () => {
      for await (const [id] of database.stream(MILLION)) if (id === 10) proxy[happens]();
    })();
    await expect(reading).rejects.toMatchObject({code});
    if (happens === 'cut') database = await connect();
  }
});
