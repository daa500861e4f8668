import {describe, expect, it} from 'vitest';
import {secondsFrom, wholeNumber} from '../../../../src/cli/flags/shared-flags.ts';

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
