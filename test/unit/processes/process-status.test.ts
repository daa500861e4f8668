import {expect, it} from 'vitest';
import {reasonForHidden} from '../../../src/processes/hidden-processes.ts';
import {parseBootTime, parseStat, parseUid} from '../../../src/processes/process-status.ts';

const stat = (name: string) => `4321 (${name}) S 17 ${Array(17).fill('0').join(' ')} 12345 999 0`;

it.each(['php', 'a ) S 99 (b', ') S 1 1 1 1'])('reads parent and start behind the name %j', (name) => {
  expect(parseStat(stat(name))).toEqual({ppid: 17, startedAfterBoot: 123_450});
});

it.each(['', 'nothing', '1 (php) S', `1 (php) S ${'x '.repeat(30)}`])('takes nothing from %j', (text) => {
  expect(parseStat(text)).toBeNull();
});

it('reads the boot time and the effective user', () => {
  expect(parseBootTime('cpu 1 2\nbtime 1764105000\nprocesses 9\n')).toBe(1_764_105_000_000);
  expect(parseBootTime('cpu 1 2\n')).toBeNull();
  expect(parseUid('Name:\tphp\nUid:\t0\t33\t33\t33\nGid:\t1\t1\t1\t1\n')).toBe(33);
  expect(parseUid('Name:\tphp\n')).toBeNull();
});

const mount = (options: string, on = '/proc') =>
  `22 27 0:21 / ${on} rw,relatime shared:5 - proc proc ${options}\n`;
const ALL = 'CapEff:\t000001ffffffffff\n';
const NONE = 'CapEff:\t0000000000000000\n';

it.each([
  ['no option', mount('rw'), NONE, false],
  ['hidepid=2', mount('rw,hidepid=2'), NONE, true],
  ['hidepid=invisible', mount('rw,hidepid=invisible,gid=4'), NONE, true],
  ['hidepid=1 for a user', mount('rw,hidepid=1'), NONE, true],
  ['hidepid=2 for root', mount('rw,hidepid=2'), ALL, false],
  ['hidepid=2 for an unknown user', mount('rw,hidepid=2'), '', true],
  ['hidepid=off', mount('rw,hidepid=off'), NONE, false],
  ['hidepid=2 on another mount', mount('rw,hidepid=2', '/jail/proc') + mount('rw'), NONE, false],
  ['a second mount over the first', mount('rw,hidepid=2') + mount('rw'), NONE, false],
])('processes are hidden: %s', (_name, mountInfo, status, hidden) => {
  const reason = reasonForHidden(mountInfo, status);
  expect(reason === null ? null : reason).toEqual(
    hidden ? expect.stringMatching(/hidepid=\w+, .* as root\.$/) : null,
  );
});
