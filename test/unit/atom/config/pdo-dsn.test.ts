import {describe, expect, it} from 'vitest';
import {parsePdoDsn} from '../../../../src/atom/config/pdo-dsn.ts';
import {revealed} from '../../../support/revealed.ts';

const FOUND = () => '/found.sock';

describe('a PDO DSN', () => {
  it.each([
    [
      'mysql:host=127.0.0.1;port=3307;dbname=atom',
      {host: '127.0.0.1', socketPath: null, port: 3307, database: 'atom'},
    ],
    ['mysql:dbname=atom;port=3307;charset=utf8mb4;host=db', {host: 'db', port: 3307, database: 'atom'}],
    ['mysql:dbname=atom', {host: null, socketPath: '/found.sock', port: 3306}],
    ['mysql:host=localhost;port=3307;dbname=atom', {host: null, socketPath: '/found.sock'}],
    ['mysql:host=localhost;unix_socket=/my.sock;dbname=atom', {host: null, socketPath: '/my.sock'}],
    ['mysql:unix_socket=/my.sock;dbname=atom', {host: null, socketPath: '/my.sock'}],
    ['mysql:host=db;unix_socket=/my.sock;dbname=atom', {host: 'db', socketPath: null}],
    ['mysql:host=;dbname=atom;', {host: null, socketPath: '/found.sock'}],
    ['mysql:host=[::1];dbname=atom', {host: '::1'}],
    ['mysql: host=db; dbname=a;;b', {host: 'db', database: 'a;b'}],
    ['mysql:host=db;dbname=atom;user=u;password=p', {user: 'u', password: 'p'}],
  ])('%s', (dsn, expected) => {
    expect(revealed(parsePdoDsn(dsn, 'config.php', FOUND))).toMatchObject(expected);
  });

  it.each([
    ['pgsql:host=db;dbname=atom;password=hunter2', /\(config\.php\) does not begin with mysql:/],
    ['mysql:host=db;password=hunter2', /has no database name/],
    ['mysql:dbname=atom;port=hunter2', /port that is not a number/],
  ])('refuses %s without repeating it', (dsn, reason) => {
    expect(() => parsePdoDsn(dsn, 'config.php', FOUND)).toThrow(reason);
    expect(() => parsePdoDsn(dsn, 'config.php', FOUND)).not.toThrow(/hunter2/);
  });
});
