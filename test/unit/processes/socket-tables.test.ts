import {expect, it} from 'vitest';
import {listenerOn, parseSocketTable} from '../../../src/processes/socket-tables.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue\n';
const TCP = `${HEADER}   0: 0100007F:127A 00000000:0000 0A 00000000:00000000
   1: 00000000:127B 00000000:0000 0A 00000000:00000000
   2: 00000000:127C 0100007F:D431 01 00000000:00000000
   3: 0100007F:D431 00000000:127D 0A 00000000:00000000
`;
const TCP6 = `${HEADER}   0: 00000000000000000000000000000000:127E 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:127F 00000000000000000000000000000000:0000 0A
`;

it.each([
  ['one address', 4730, 'chosen'],
  ['every address', 4731, 'every'],
  ['no socket, only a connection from it', 4732, 'none'],
  ["another socket's remote port", 4733, 'none'],
  ['every address of IPv6', 4734, 'every'],
  ['one address of IPv6', 4735, 'chosen'],
] as const)('sees a listener on %s', (_, port, found) => {
  const sockets = [TCP, TCP6].flatMap((table) => parseSocketTable(table, 'LE'));
  expect(listenerOn(port, sockets)).toBe(found);
});

const ROW = (
  local: string,
  remote: string,
  rest = '01 00000000:00000000 00:00000000 00000000    33        0 98765 1',
) => `${HEADER}   0: ${local} ${remote} ${rest}\n`;

it.each<[string, string, 'LE' | 'BE', string, string, {address: string; port: number}]>([
  ['IPv4', 'little endian', 'LE', '0100007F:1F90', '0A01A8C0:127A', {address: '192.168.1.10', port: 4730}],
  ['IPv4', 'big endian', 'BE', '7F000001:1F90', 'C0A8010A:127A', {address: '192.168.1.10', port: 4730}],
  [
    'IPv6',
    'little endian',
    'LE',
    `${'0'.repeat(24)}01000000:1F90`,
    'B80D0120000000000000000001000000:127A',
    {address: '2001:db8::1', port: 4730},
  ],
  [
    'mapped IPv4',
    'little endian',
    'LE',
    '0000000000000000FFFF00000100007F:1F90',
    '0000000000000000FFFF00000100007F:127A',
    {address: '127.0.0.1', port: 4730},
  ],
])('reads an %s address, %s', (_family, _order, order, local, remote, expected) => {
  const [socket, ...others] = parseSocketTable(ROW(local, remote), order);
  expect([socket!.remote, socket!.local.port, socket!.state, socket!.inode]).toEqual([
    expected,
    8080,
    '01',
    98765,
  ]);
  expect(others).toEqual([]);
});

it('skips lines that are no sockets', () => {
  expect(parseSocketTable(`${HEADER}garbage\n\n 0: 0100:127A 0100:0000 0A\n 1: zz\n`)).toEqual([]);
});

it('leaves out sockets that wait for their end', () => {
  const waiting = '06 00000000:00000000 03:00001770 00000000     0        0 0 3';
  expect(parseSocketTable(ROW('0100007F:1F90', '0A01A8C0:127A', waiting), 'LE')).toEqual([]);
});
