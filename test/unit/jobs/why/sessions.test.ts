import {expect, test} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {sessionOrReason} from '../../../../src/jobs/why/sessions.ts';
import type {Queryable} from '../../../../src/mysql/database.ts';

const local = (address: string, port: number) => ({local: {address, port}});
const database = (...sessions: object[]) => ({query: async () => sessions}) as unknown as Queryable;
const session = (host: string, more = {}) => ({
  host,
  command: 'Query',
  seconds: 7,
  info: 'SELECT 1',
  ...more,
});

test.each([
  ['127.0.0.1:50001', '127.0.0.1', {query: 'SELECT 1', seconds: 7}],
  // The server looks names up.
  ['localhost:50001', '127.0.0.1', {query: 'SELECT 1', seconds: 7}],
  ['::ffff:10.0.0.2:50001', '10.0.0.2', {query: 'SELECT 1', seconds: 7}],
  ['10.0.0.3:50001', '10.0.0.2', expect.stringMatching(/PROCESS/)],
  ['127.0.0.1:50002', '127.0.0.1', expect.stringMatching(/PROCESS/)],
  ['localhost', '127.0.0.1', expect.stringMatching(/PROCESS/)],
  ['other.example:50001', '127.0.0.1', expect.stringMatching(/PROCESS/)],
  ['own.example:50001', '10.0.0.2', {query: 'SELECT 1', seconds: 7}],
])('a session from %s for a connection from %s port 50001', async (host, address, found) => {
  expect(await sessionOrReason(database(session(host)), [local(address, 50001)])).toEqual(found);
});

test('a session that sleeps executes nothing, whatever it shows', async () => {
  const sleeping = database(session('127.0.0.1:50001', {command: 'Sleep', info: null}));
  expect(await sessionOrReason(sleeping, [local('127.0.0.1', 50001)])).toEqual({query: null, seconds: 7});
});

test('what the database refuses is a reason', async () => {
  const refusing = {
    query: async () => {
      throw new AtomctlError('DATABASE_PRIVILEGE', 'The account may not SELECT.');
    },
  } as unknown as Queryable;
  expect(await sessionOrReason(refusing, [local('127.0.0.1', 1)])).toBe(
    'The sessions of the database cannot be read: The account may not SELECT.',
  );
});
