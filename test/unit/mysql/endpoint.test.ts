import {expect, test} from 'vitest';
import type {DatabaseConfig} from '../../../src/mysql/database.ts';
import {describeEndpoint, endpointOf} from '../../../src/mysql/endpoint.ts';

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
