import {describe, expect, it} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {formatAddress, hostsToTry, parseAddress} from '../../../src/gearman/address.ts';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', 4730],
    ['127.0.0.1:4731', '127.0.0.1', 4731],
    ['gearman.example.org:65535', 'gearman.example.org', 65535],
    [' queue ', 'queue', 4730],
    ['queue_1:1', 'queue_1', 1],
    ['::1', '::1', 4730],
    ['2001:db8::4730', '2001:db8::4730', 4730],
    ['fe80::1%eth0', 'fe80::1%eth0', 4730],
    ['[::1]', '::1', 4730],
    ['[::1]:4731', '::1', 4731],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseAddress(text, '--gearman')).toEqual({host, port});
  });

  it.each([
    '',
    ':4730',
    'host:',
    'host:0',
    'host:65536',
    'host:port',
    'host:1:2',
    'two words',
    '[127.0.0.1]:4730',
    '[::1',
    '::1]:4730',
    '[::1]x',
    'tcp://host:4730',
    'user@host',
  ])('refuses "%s" as a usage error that names the value and its origin', (text) => {
    let error: unknown;
    try {
      parseAddress(text, 'gearman.yml');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(AtomctlError);
    expect(error).toMatchObject({code: 'USAGE', message: expect.stringContaining(`"${text}" (gearman.yml)`)});
  });

  it('reads what formatAddress writes', () => {
    for (const address of [
      {host: '::1', port: 4730},
      {host: 'a.b', port: 1},
    ]) {
      expect(parseAddress(formatAddress(address), 'a test')).toEqual(address);
    }
  });
});

describe('hostsToTry', () => {
  it('tries both families for localhost alone', () => {
    expect(hostsToTry('LocalHost')).toEqual(['127.0.0.1', '::1']);
    expect(hostsToTry('queue')).toEqual(['queue']);
  });
});
