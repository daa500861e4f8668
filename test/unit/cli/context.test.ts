import {describe, expect, it} from 'vitest';
import {siteOptions} from '../../../src/cli/context.ts';

describe('siteOptions', () => {
  it('knows for each value if it comes from the command line or the environment', () => {
    const options = siteOptions(
      {timezone: 'UTC', site: 's', gearman: ['a', 'b']},
      new Set(['timezone', 'gearman']),
      {},
    );
    expect(options).toMatchObject({
      timezone: {value: 'UTC', origin: '--timezone'},
      site: {value: 's', origin: 'ATOMCTL_SITE'},
      gearman: {value: ['a', 'b'], origin: '--gearman'},
      databaseUrl: undefined,
    });
  });

  it('accepts the one text that oclif passes for several servers in the environment', () => {
    expect(siteOptions({gearman: 'a,b'}, new Set(), {}).gearman).toEqual({
      value: ['a,b'],
      origin: 'ATOMCTL_GEARMAN',
    });
  });

  it('has the empty prefix of the environment, which oclif leaves out, unless the flag is given', () => {
    const empty = {ATOMCTL_FUNCTION_PREFIX: '', ATOMCTL_TIMEZONE: ''};
    expect(siteOptions({}, new Set(), empty)).toEqual({
      functionPrefix: {value: '', origin: 'ATOMCTL_FUNCTION_PREFIX'},
    });
    expect(
      siteOptions({'function-prefix': 'auto'}, new Set(['function-prefix']), empty).functionPrefix,
    ).toEqual({value: 'auto', origin: '--function-prefix'});
    expect(siteOptions({}, new Set(), {}).functionPrefix).toBeUndefined();
  });
});
