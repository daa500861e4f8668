import {mkdirSync, symlinkSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {gearmandFacts} from '../../../src/host/local-gearmand.ts';
import {isLoopback, ownAddressesOf} from '../../../src/host/own-addresses.ts';
import type {GearmandProcess} from '../../../src/processes/read-processes.ts';
import {LISTEN} from '../../../src/processes/socket-tables.ts';
import {createScratch} from '../../support/scratch.ts';

const NAMESPACES = {self: 'net:[1]', 10: 'net:[1]', 11: 'net:[1]', 20: 'net:[2]'};

function procWith(): string {
  const proc = createScratch('proc-net');
  for (const [name, target] of Object.entries(NAMESPACES)) {
    mkdirSync(join(proc, name, 'ns'), {recursive: true});
    symlinkSync(target, join(proc, name, 'ns/net'));
  }
  return proc;
}

const gearmand = (pid: number, ...addresses: string[]): GearmandProcess => ({
  pid,
  ppid: 1,
  uid: 0,
  argv: ['gearmand'],
  startedAt: pid * 1000,
  listens: addresses.map((address) => ({address, port: 4730})),
});
const listening = (...addresses: string[]) =>
  addresses.map((address, inode) => ({
    local: {address, port: 4730},
    remote: {address: '0.0.0.0', port: 0},
    state: LISTEN,
    inode,
  }));
const facts = (host: string, gearmands: GearmandProcess[], sockets: ReturnType<typeof listening> | null) =>
  gearmandFacts({host, port: 4730}, {gearmands, sockets, proc: procWith()});
const UNKNOWN = {startedMs: null, onlyLoopback: false};

it('knows when the process began that listens on loopback, and that it listens nowhere else', async () => {
  const both = ['127.0.0.1', '::1'];
  expect(await facts('localhost', [gearmand(10, ...both)], listening(...both))).toEqual({
    startedMs: 10_000,
    onlyLoopback: true,
  });
  expect(await facts('127.0.0.1', [gearmand(10, '127.0.0.1')], listening('127.0.0.1'))).toMatchObject({
    onlyLoopback: true,
  });
});

it.each([
  ['every interface', ['0.0.0.0']],
  ['every interface of IPv6', ['::']],
  ['another address beside loopback', ['127.0.0.1', '203.0.113.7']],
])('does not call it only loopback if it listens on %s', async (_, addresses) => {
  const found = await facts('127.0.0.1', [gearmand(10, ...addresses)], listening(...addresses));
  expect(found).toEqual({startedMs: 10_000, onlyLoopback: false});
});

it('knows nothing of a proxy or a tunnel that listens in place of gearmand', async () => {
  expect(await facts('127.0.0.1', [], listening('127.0.0.1'))).toEqual(UNKNOWN);
  // The container's own gearmand, behind the proxy.
  expect(await facts('127.0.0.1', [gearmand(20, '127.0.0.1', '0.0.0.0')], listening('127.0.0.1'))).toEqual(
    UNKNOWN,
  );
  // Beside gearmand on ::1, something else has 127.0.0.1.
  const beside = await facts('localhost', [gearmand(10, '::1')], listening('::1', '127.0.0.1'));
  expect(beside.onlyLoopback).toBe(false);
});

it('knows nothing of another host, another port, or sockets that cannot be read', async () => {
  expect(await facts('gearman.example', [gearmand(10, '0.0.0.0')], listening('0.0.0.0'))).toEqual(UNKNOWN);
  expect(await facts('127.0.0.1', [gearmand(10, '127.0.0.1')], null)).toEqual(UNKNOWN);
  expect(await facts('127.0.0.1', [{...gearmand(10), listens: null}], listening('127.0.0.1'))).toEqual(
    UNKNOWN,
  );
  const other = gearmandFacts(
    {host: '127.0.0.1', port: 4731},
    {gearmands: [gearmand(10, '127.0.0.1')], sockets: listening('127.0.0.1'), proc: procWith()},
  );
  expect(await other).toEqual(UNKNOWN);
});

it('takes the youngest of several that may answer', async () => {
  const found = await facts(
    'localhost',
    [gearmand(11, '::1'), gearmand(10, '127.0.0.1')],
    listening('127.0.0.1', '::1'),
  );
  expect(found.startedMs).toBe(11_000);
});

it('knows the addresses of this host by name, in any form, and no other', () => {
  expect(ownAddressesOf('LOCALHOST')).toEqual(['127.0.0.1', '::1']);
  expect(ownAddressesOf('::ffff:127.0.0.1')).toEqual(['127.0.0.1']);
  expect(ownAddressesOf(hostname())).toContain('127.0.1.1');
  expect(ownAddressesOf('203.0.113.7')).toEqual([]);
  expect([
    isLoopback('127.9.9.9'),
    isLoopback('::1'),
    isLoopback('128.0.0.1'),
    isLoopback('127.example.org'),
  ]).toEqual([true, true, false, false]);
});
