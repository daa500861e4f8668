import {expect, it} from 'vitest';
import {parseColumns} from '../../../../src/cli/flags/columns-flag.ts';

it('parseColumns reads columns in the order given', () => {
  expect(parseColumns(['b, a'], ['a', 'b'])).toEqual(['b', 'a']);
  expect(parseColumns(['b', 'a,b'], ['a', 'b'])).toEqual(['b', 'a', 'b']);
  for (const wrong of ['', 'a,,b', 'c'])
    expect(() => parseColumns([wrong], ['a', 'b'])).toThrow(
      `"${wrong === 'a,,b' ? '' : wrong}" (--columns) is not a valid column.`,
    );
});
