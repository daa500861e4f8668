import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database, Queryable} from '../../../src/mysql/database.ts';
import {type AtomSite, createSite} from '../../support/sandbox.ts';

let site: AtomSite;
let one: Database;
let two: Database;

beforeAll(async () => {
  site = await createSite();
  [one, two] = await Promise.all([
    connectDatabase(site.config, {timeoutSeconds: 5}),
    connectDatabase(site.config, {timeoutSeconds: 5}),
  ]);
  await one.execute('CREATE TABLE account (id INT PRIMARY KEY, n INT) ENGINE = InnoDB');
});

beforeEach(async () => {
  await one.execute('REPLACE INTO account VALUES (1, 0), (2, 0)');
});

afterAll(async () => {
  await Promise.all([one?.close(), two?.close()]);
  await site?.drop();
});

function amounts(): Promise<{n: number}[]> {
  return one.query('SELECT n FROM account ORDER BY id');
}

function add(tx: Queryable, id: number): Promise<number> {
  return tx.execute('UPDATE account SET n = n + 1 WHERE id = ?', [id]);
}

test('is committed completely and returns the result of its work', async () => {
  const result = await one.transaction(async (tx) => {
    await add(tx, 1);
    expect(await two.query('SELECT n FROM account WHERE id = 1')).toEqual([{n: 0}]);
    await add(tx, 2);
    return tx.query('SELECT SUM(n) AS total FROM account');
  });
  expect(result).toEqual([{total: 2}]);
  expect(await two.query('SELECT n FROM account')).toEqual([{n: 1}, {n: 1}]);
});

test('is rolled back when its work throws, and the connection stays good', async () => {
  const work = one.transaction(async (tx) => {
    await add(tx, 1);
    throw new RangeError('changed my mind');
  });
  await expect(work).rejects.toThrow(RangeError);
  expect(await amounts()).toEqual([{n: 0}, {n: 0}]);
});

test('two that deadlock both succeed: the one that the server sacrificed runs again', async () => {
  let attempts = 0;
  const ready: (() => void)[] = [];
  const bothHoldOne = new Promise<void>((resolve) => ready.push(resolve));
  let holders = 0;
  async function transfer(database: Database, first: number, second: number): Promise<void> {
    await database.transaction(async (tx) => {
      attempts++;
      await add(tx, first);
      if (++holders === 2) ready[0]!();
      await bothHoldOne;
      await add(tx, second);
    });
  }
  await Promise.all([transfer(one, 1, 2), transfer(two, 2, 1)]);
  expect(attempts).toBe(3);
  expect(await amounts()).toEqual([{n: 2}, {n: 2}]);
});

test('gives up if another session keeps its lock', async () => {
  await two.execute('SET SESSION innodb_lock_wait_timeout = 0');
  let attempts = 0;
  await one.transaction(async (tx) => {
    await add(tx, 1);
    const blocked = two.transaction(async (other) => {
      attempts++;
      await add(other, 2);
      await add(other, 1);
    });
    await expect(blocked).rejects.toMatchObject({code: 'DATABASE_BUSY', exitStatus: 1});
  });
  expect(attempts).toBe(5);
  expect(await amounts()).toEqual([{n: 1}, {n: 0}]);
});

test('does not nest', async () => {
  const nested = one.transaction(async (tx) => {
    await add(tx, 1);
    await one.transaction((inner) => add(inner, 2));
  });
  await expect(nested).rejects.toThrow('transactions do not nest');
  expect(await amounts()).toEqual([{n: 0}, {n: 0}]);
});
