import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {parseGreeting} from '../../../src/mysql/greeting.ts';

function packet(...payload: (string | number[])[]): Buffer {
  const body = Buffer.concat(payload.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]);
}

function greeting(version: string): Buffer {
  return packet([10], version, [0], 'connection id, salt and more');
}

describe('parseGreeting', () => {
  test.each([
    ['8.0.36-0ubuntu0.22.04.1', {flavour: 'mysql', version: '8.0.36-0ubuntu0.22.04.1'}],
    ['5.5.5-10.11.6-MariaDB-0+deb12u1', {flavour: 'mariadb', version: '10.11.6-MariaDB-0+deb12u1'}],
    ['11.8.2-MariaDB-log', {flavour: 'mariadb', version: '11.8.2-MariaDB-log'}],
    // An old MySQL of its own: only MariaDB writes 5.5.5 before its version.
    ['5.5.5-m3', {flavour: 'mysql', version: '5.5.5-m3'}],
  ])('%s', (version, server) => {
    expect(parseGreeting(greeting(version))).toEqual(server);
  });

  test('asks for more until the version has ended', () => {
    const whole = greeting('8.4.0');
    const end = whole.indexOf(0, 5);
    for (let length = 0; length <= end; length++) expect(parseGreeting(whole.subarray(0, length))).toBeNull();
    expect(parseGreeting(whole.subarray(0, end + 1))).toEqual({flavour: 'mysql', version: '8.4.0'});
  });

  test('an error packet is a refusal, for the driver to read', () => {
    expect(parseGreeting(packet([0xff, 0x10, 0x04], 'Too many connections'))).toBe('refusal');
  });

  test.each([
    ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
    ['an SSH server', Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')],
    ['a mail server', Buffer.from('220 mail.example ESMTP\r\n')],
    ["MySQL's X protocol", Buffer.from([5, 0, 0, 0, 11, 8, 5, 26, 0])],
    ['a version without an end', packet([10], '8'.repeat(2000))],
  ])('%s is a stranger', (_, bytes) => {
    expect(parseGreeting(bytes)).toBe('not-mysql');
  });

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 200}), (bytes) => {
        const parsed = parseGreeting(Buffer.from(bytes));
        expect(parsed === null || typeof parsed === 'string' || parsed.version.length < 200).toBe(true);
      }),
    );
  });
});
