import {expect, test} from 'vitest';
import {uniqueKey} from '../../../src/queue/unique-key.ts';

/** Made by PHP 8.2: `md5($function . serialize(json_decode($json, true)) . '1')`. */
test.each([
  [
    'arFileImportJob',
    String.raw`{"id":155764,"name":"arFileImportJob","file":{"name":"\u00c9t\u00e9.csv","tmp_name":"\/tmp\/php1","size":2048},"options":[],"index":true}`,
    '6cf3cfa060be19922f33937337a53a78',
  ],
  [
    '0123456789abcdef0123456789abcdef-arObjectMoveJob',
    '{"objectId":"512","parentId":"1","id":7}',
    'a19682cd2ce2cacaea0685f9f48ea4d4',
  ],
])('the key of %s', (name, parameters, key) => {
  expect(uniqueKey(name, parameters)).toBe(key);
});

test('a log that was cut in the middle of the parameters gives no key', () => {
  expect(uniqueKey('arFileImportJob', '{"id":155764,"file":{"na')).toBeNull();
});
