import {expect, test} from 'vitest';
import {AtomctlError, cannotBeRead} from '../../src/errors.ts';

const failure = (code: string) => Object.assign(new Error(code), {code});

test('a file that may not be read is explained in words, with what to do', () => {
  expect(cannotBeRead('/etc/x', failure('EACCES'), 'Give another file.')).toMatchObject({
    code: 'USAGE',
    message: '/etc/x cannot be read: permission denied.',
    hint: 'Give another file. Or run as a user who may read it: sudo -u www-data atomctl …',
  });
  expect(cannotBeRead('/etc/x', failure('EPERM')).hint).toMatch(/^Run as a user who may read it/);
});

test('a file that does not exist needs no other user', () => {
  const error = cannotBeRead('/etc/x', failure('ENOENT'));
  expect([error.message, error.hint]).toEqual(['/etc/x cannot be read: it does not exist.', undefined]);
  const broken = Object.assign(failure('EIO'), {errno: -5});
  expect(cannotBeRead('/etc/x', broken).message).toBe('/etc/x cannot be read: i/o error.');
});

test('an error of atomctl itself passes unchanged', () => {
  const own = new AtomctlError('USAGE', 'Too large.');
  expect(cannotBeRead('/etc/x', own)).toBe(own);
});
