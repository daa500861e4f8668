import {describe, expect, it} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {parseDatabaseUrl} from '../../../src/mysql/database-url.ts';
import {revealed} from '../../support/revealed.ts';

const OFF = {mode: 'off', caFile: null};

describe('a database URL', () => {
  it.each([
    [
      'mysql://atom:secret@db.example.org:3307/atom',
      {host: 'db.example.org', port: 3307, user: 'atom', password: 'secret', database: 'atom'},
    ],
    ['mysql://atom@db/atom', {host: 'db', port: 3306, user: 'atom', password: ''}],
    ['mysql://atom:@[::1]:3307/atom', {host: '::1', port: 3307, password: ''}],
    ['mysql://a%40b:p%2F%3f%23%25@h/my%20db', {user: 'a@b', password: 'p/?#%', database: 'my db'}],
    ['mysql://atom:p@ss:word@h/atom', {host: 'h', password: 'p@ss:word'}],
    [
      'mysql://root@localhost/atom?socketPath=/run/mysqld/mysqld.sock',
      {host: null, socketPath: '/run/mysqld/mysqld.sock', user: 'root'},
    ],
    ['mysql://root@/atom?socketPath=%2Ftmp%2Fa%20b.sock', {host: null, socketPath: '/tmp/a b.sock'}],
    ['mysql://a@h/d', {tls: OFF}],
    ['mysql://a@h/d?ssl=required', {tls: {mode: 'required', caFile: null}}],
    ['mysql://a@h/d?ssl=verify-ca&sslCa=/ca.pem', {tls: {mode: 'verify-ca', caFile: '/ca.pem'}}],
    ['mysql://a@h/d?sslCa=ca.pem&ssl=verify-identity', {tls: {mode: 'verify-identity', caFile: 'ca.pem'}}],
  ])('%s', (url, expected) => {
    expect(revealed(parseDatabaseUrl(url, '--database-url'))).toMatchObject(expected);
  });

  it.each([
    ['postgres://a:hunter2@h/d', /does not have the expected form/],
    ['mysql://a:hunter2@h:33o6/d', /does not have the expected form/],
    ['mysql://a:hunter2#x@h/d', /does not have the expected form/],
    ['mysql://a:hunter2@h:70000/d', /port 70000/],
    ['mysql://a:hunter2@h/d%zz', /database name with a malformed percent escape/],
    ['mysql://:hunter2@h/d', /has no user/],
    ['mysql://a:hunter2@h', /has no database name/],
    ['mysql://a:hunter2@h/d?sock=/x', /unknown parameter "sock"/],
    ['mysql://a:hunter2@h/d?socketPath=x', /not absolute/],
    ['mysql://a:hunter2@h/d?ssl=maybe', /unknown ssl mode "maybe"/],
    ['mysql://a:hunter2@h/d?sslCa=/ca.pem', /sslCa without ssl/],
  ])('refuses %s without repeating it', (url, reason) => {
    const parse = () => parseDatabaseUrl(url, 'ATOMCTL_DATABASE_URL');
    expect(parse).toThrow(AtomctlError);
    expect(parse).toThrow(reason);
    expect(parse).toThrow(/ATOMCTL_DATABASE_URL/);
    expect(parse).not.toThrow(/hunter2/);
  });
});
