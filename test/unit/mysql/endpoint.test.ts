import {expect, test} from 'vitest';
import type {DatabaseConfig} from '../../../src/mysql/database.ts';
import {describeEndpoint, endpointOf, findSocket, USUAL_SOCKETS} from '../../../src/mysql/endpoint.ts';

test.each<[Partial<DatabaseConfig>, string | RegExp]>([
  [{host: '127.0.0.1'}, '127.0.0.1:3306'],
  [{host: 'db.example', port: 3307}, 'db.example:3307'],
  [{host: '::1'}, '[::1]:3306'],
  [{socketPath: '/run/m.sock'}, '/run/m.sock'],
  // As MySQL's own clients: the socket wins.
  [{host: 'localhost', socketPath: '/run/m.sock'}, '/run/m.sock'],
  // As PHP: neither means the usual socket.
  [{}, /^\/.*\.sock$/],
])('%o is %s', (given, place) => {
  const config = {host: null, port: 3306, socketPath: null, ...given} as DatabaseConfig;
  expect(describeEndpoint(endpointOf(config))).toMatch(place);
});

test('takes the first usual socket that exists, and the first of all if none exists', () => {
  expect(findSocket((path) => path.startsWith('/var/lib'))).toBe('/var/lib/mysql/mysql.sock');
  expect(findSocket((path) => path.startsWith('/var'))).toBe('/var/run/mysqld/mysqld.sock');
  expect(findSocket(() => false)).toBe(USUAL_SOCKETS[0]);
});
