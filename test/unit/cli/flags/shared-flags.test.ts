import {describe, expect, it} from 'vitest';
import {boundNameLookups} from '../../../../src/cli/base-command.ts';
import {siteOptions} from '../../../../src/cli/context.ts';
import {parseColumns} from '../../../../src/cli/flags/columns-flag.ts';
import {secondsFrom, wholeNumber} from '../../../../src/cli/flags/shared-flags.ts';
import {putCommandFirst} from '../../../../src/cli/start/main.ts';
import {parseSort} from '../../../../src/commands/jobs/list.ts';

const FLAG = {token: {type: 'flag' as const}};
const ARGUMENT = {token: {type: 'arg' as const}};
const TIMEOUT = {name: 'timeout', env: 'ATOMCTL_TIMEOUT'};

describe('a number', () => {
  it.each([
    ['7', 7],
    [' 7 ', 7],
  ])('is read: %j', async (text, value) => {
    await expect(wholeNumber(1, 'x')(text, FLAG, {name: 'limit'})).resolves.toBe(value);
  });

  it.each(['', '0', '-1', '1.5', '1e3', '0x10', '99999999999999999999', 'x'])(
    'is not read: %j',
    async (text) => {
      await expect(wholeNumber(1, 'job id')(text, FLAG, {name: 'id'})).rejects.toMatchObject({
        code: 'USAGE',
        message: `"${text}" (--id) is not a valid job id.`,
      });
    },
  );

  it('that is wrong is named with its flag or variable; an argument only by its value', async () => {
    const read = secondsFrom(0.1);
    await expect(read('0.5', {}, TIMEOUT)).resolves.toBe(0.5);
    await expect(read('0', FLAG, TIMEOUT)).rejects.toThrow('"0" (--timeout) is not a valid number');
    await expect(read('86401', {}, TIMEOUT)).rejects.toThrow(
      '"86401" (ATOMCTL_TIMEOUT) is not a valid number',
    );
    await expect(wholeNumber(1, 'job id')('x', ARGUMENT, {name: 'id'})).rejects.toThrow(
      '"x" is not a valid job id.',
    );
  });
});

describe('siteOptions', () => {
  it('knows for each value if it comes from the command line or the environment', () => {
    const options = siteOptions(
      {timezone: 'UTC', site: 's', gearman: ['a', 'b']},
      new Set(['timezone', 'gearman']),
    );
    expect(options).toMatchObject({
      timezone: {value: 'UTC', origin: '--timezone'},
      site: {value: 's', origin: 'ATOMCTL_SITE'},
      gearman: {value: ['a', 'b'], origin: '--gearman'},
      databaseUrl: undefined,
    });
  });

  it('accepts the one text that oclif passes for several servers in the environment', () => {
    expect(siteOptions({gearman: 'a,b'}, new Set()).gearman).toEqual({
      value: ['a,b'],
      origin: 'ATOMCTL_GEARMAN',
    });
  });
});

describe('putCommandFirst', () => {
  it.each([
    ['jobs:list --json', 'jobs:list --json'],
    ['--json jobs:list', 'jobs:list --json'],
    ['--timeout 3 -q --site=a jobs list --all', 'jobs list --all --timeout 3 -q --site=a'],
    ['--json jobs:kill -- 5', 'jobs:kill --json -- 5'],
    ['--help', '--help'],
    ['--version', '--version'],
    ['--json', '--json'],
    ['--nope jobs:list', '--nope jobs:list'],
  ])('%s', async (typed, expected) => {
    expect((await putCommandFirst(typed.split(' '))).join(' ')).toBe(expected);
  });
});

describe('parseSort and parseColumns', () => {
  it('reads a key and its direction', () => {
    expect(parseSort('-started')).toEqual({key: 'started', descending: true});
    expect(parseSort('name')).toEqual({key: 'name', descending: false});
    for (const wrong of ['', '-', '--id', 'Name', 'user'])
      expect(() => parseSort(wrong)).toThrow(`Invalid --sort "${wrong}".`);
  });

  it('reads columns in the order given', () => {
    expect(parseColumns('b, a', ['a', 'b'])).toEqual(['b', 'a']);
    for (const wrong of ['', 'a,,b', 'c'])
      expect(() => parseColumns(wrong, ['a', 'b'])).toThrow('Unknown column');
  });
});

it("the timeout of name lookups is in whole seconds, and the user's own setting wins", () => {
  const env: Record<string, string | undefined> = {};
  boundNameLookups(2.9, env);
  expect(env.RES_OPTIONS).toBe('timeout:2 attempts:1');
  boundNameLookups(9, env);
  expect(env.RES_OPTIONS).toBe('timeout:2 attempts:1');
  const short: Record<string, string | undefined> = {};
  boundNameLookups(0.1, short);
  expect(short.RES_OPTIONS).toBe('timeout:1 attempts:1');
});
