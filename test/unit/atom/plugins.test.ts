import {expect, test} from 'vitest';
import {parsePluginList} from '../../../src/atom/plugins.ts';

test.each([
  ['a:0:{}', []],
  ['a:2:{i:0;s:13:"qtSwordPlugin";i:1;s:11:"sfDcPlugin";}', ['qtSwordPlugin', 'sfDcPlugin']],
])('the plugins in %s', (serialized, names) => {
  expect([...parsePluginList(serialized)!]).toEqual(names);
});

test.each(['', 'N;', 's:13:"qtSwordPlugin";', 'a:1:{i:0;O:1:"A":0:{}}', 'a:1:{i:0;s:13:"qtSwordPlugin";'])(
  'nothing is known from %j',
  (serialized) => {
    expect(parsePluginList(serialized)).toBeNull();
  },
);
