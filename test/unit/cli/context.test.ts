import {describe, expect, it} from 'vitest';
import {siteOptions} from '../../../src/cli/context.ts';

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
