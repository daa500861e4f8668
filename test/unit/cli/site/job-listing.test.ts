import {expect, it} from 'vitest';
import {parseSort} from '../../../../src/cli/site/job-listing.ts';

it('parseSort reads a key and its direction', () => {
  expect(parseSort('-started')).toEqual({key: 'started', descending: true});
  expect(parseSort('name')).toEqual({key: 'name', descending: false});
  for (const wrong of ['', '-', '--id', 'Name', 'user'])
    expect(() => parseSort(wrong)).toThrow(`"${wrong}" (--sort) is not a valid value.`);
});
