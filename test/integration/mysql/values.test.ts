import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, inject, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import type {Database} from '../../../src/mysql/database.ts';
import {Secret} from '../../../src/secret.ts';
import {type AtomSite, createSite, type MariadbProcess, startMariadb} from '../../support/sandbox.ts';

/** Everything a server can be set to that would change what atomctl reads or writes. */
const HOSTILE = [
  '--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY,HIGH_NOT_PRECEDENCE',
  '--character-set-server=latin1',
  '--collation-server=latin1_german2_ci',
  '--skip-character-set-client-handshake',
  '--default-time-zone=+05:30',
  '--autocommit=0',
  '--transaction-isolation=READ-UNCOMMITTED',
  '--group-concat-max-len=4',
  '--div-precision-increment=0',
  '--lc-time-names=de_DE',
  '--default-week-format=5',
  '--innodb-lock-wait-timeout=600',
  '--net-write-timeout=1',
  '--wait-timeout=1',
  '--init-connect=SET SESSION foreign_key_checks=0, sql_select_limit=1, sql_safe_updates=1, sql_auto_is_null=1',
];

const TEXT = 'é漢字😀\u{10FFFF} שלום \0 \' " \\ % _ ` \r\n\t =1+1';

let site: AtomSite;
let hostile: MariadbProcess;
let onHostile: Database;

beforeAll(async () => {
  [site, hostile] = await Promise.all([createSite(), startMariadb(HOSTILE)]);
  const root = await connectDatabase(
    {
      ...site.config,
      host: null,
      socketPath: hostile.socketPath,
      user: 'root',
      password: new Secret(''),
      database: 'mysql',
    },
    {timeoutSeconds: 5},
  );
  await root.execute('CREATE DATABASE atom_values CHARACTER SET utf8mb4');
  await root.close();
  onHostile = await connectDatabase(
    {...site.config, port: hostile.port, database: 'atom_values'},
    {timeoutSeconds: 5},
  );
});

afterAll(async () => {
  await onHostile?.close();
  await Promise.all([site?.drop(), hostile?.kill()]);
});

test.each([
  ['TCP', {}],
  ['localhost, on whichever family', {host: 'localhost'}],
  ['socket', {host: null, socketPath: inject('mariadb').socketPath}],
])('connects by %s and knows the server', async (_, endpoint) => {
  const database = await connectDatabase({...site.config, ...endpoint}, {timeoutSeconds: 5});
  const [row] = await database.query<{version: string}>('SELECT VERSION() AS version');
  expect(database.server).toEqual({flavour: 'mariadb', version: row!.version});
  await database.close();
});

describe("a hostile server's settings", () => {
  test('change no value on its way in and out', async () => {
    await onHostile.execute(
      `CREATE TABLE sample (id INT PRIMARY KEY, text TEXT, at DATETIME, stamp TIMESTAMP NULL, zero DATETIME,
       big BIGINT, ratio DECIMAL(10,2), truth BOOLEAN, nothing INT) CHARACTER SET utf8mb4`,
    );
    await onHostile.execute('INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [
      1,
      TEXT,
      '2026-03-08 02:30:00',
      '2026-07-01 12:00:00',
      '0000-00-00 00:00:00',
      9007199254740993n,
      1.5,
      1,
      null,
    ]);
    expect(await onHostile.query('SELECT * FROM sample WHERE text = ?', [TEXT])).toEqual([
      {
        id: 1,
        text: TEXT,
        // A wall-clock time that the clocks of Vancouver skip: no zone may touch it.
        at: '2026-03-08 02:30:00',
        stamp: '2026-07-01 12:00:00',
        zero: '0000-00-00 00:00:00',
        big: '9007199254740993',
        ratio: 1.5,
        truth: 1,
        nothing: null,
      },
    ]);
  });

  test('change no expression', async () => {
    const [row] = await onHostile.query(
      `SELECT "double" AS quoted, 'a\\'b' AS backslash, 1 || 0 AS alternative, NOT 1 BETWEEN -5 AND 5 AS precedence,
       1 / 3 AS third, DATE_FORMAT('2026-03-01', '%M') AS month, WEEK('2026-01-01') AS week,
       'ä' = 'ae' AS german, 'a' = 'A' AS folded, CHAR_LENGTH('😀') AS characters,
       @@tx_isolation AS isolation, @@autocommit AS autocommit, @@foreign_key_checks AS cascades,
       @@time_zone AS zone, @@sql_safe_updates AS safe, @@sql_auto_is_null AS latest`,
    );
    expect(row).toEqual({
      quoted: 'double',
      backslash: "a'b",
      alternative: 1,
      precedence: 0,
      third: 0.3333,
      month: 'March',
      week: 0,
      german: 0,
      folded: 0,
      characters: 1,
      isolation: 'REPEATABLE-READ',
      autocommit: 1,
      cascades: 1,
      zone: '+00:00',
      safe: 0,
      latest: 0,
    });
    const joined = await onHostile.query(
      "SELECT LENGTH(GROUP_CONCAT(REPEAT('x', 1000))) AS bytes FROM seq_1_to_2000 UNION ALL SELECT 2",
    );
    expect(joined).toEqual([{bytes: 2_001_999}, {bytes: 2}]);
  });

  test('nothing is cut silently on writing', async () => {
    await onHostile.execute('CREATE TABLE narrow (word VARCHAR(3))');
    await expect(onHostile.execute('INSERT INTO narrow VALUES (?)', ['four'])).rejects.toMatchObject({
      code: 'DATABASE_ERROR',
    });
  });

  test('a statement is committed by itself and counts the rows that it changed', async () => {
    await onHostile.execute('CREATE TABLE counted (id INT PRIMARY KEY, n INT)');
    expect(await onHostile.execute('INSERT INTO counted VALUES (1, 5), (2, 6), (3, 6)')).toBe(3);
    expect(await onHostile.execute('UPDATE counted SET n = 6')).toBe(1);
    expect(await onHostile.execute('DELETE FROM counted WHERE id IN (?)', [[2, 3, 4]])).toBe(2);
    const other = await connectDatabase(
      {...site.config, port: hostile.port, database: 'atom_values'},
      {timeoutSeconds: 5},
    );
    expect(await other.query('SELECT COUNT(*) AS n FROM counted')).toEqual([{n: 1}]);
    await other.close();
  });

  test('cut off neither a slow reader nor an idle session', async () => {
    const sql = "SELECT REPEAT('x', 1000) FROM seq_1_to_100000";
    let rows = 0;
    for await (const _ of onHostile.stream(sql)) if (++rows === 10) await sleep(2500);
    expect(rows).toBe(100_000);
    expect(await onHostile.query('SELECT 1 AS alive')).toEqual([{alive: 1}]);
  });
});
