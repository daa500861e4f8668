import {expect, test} from 'vitest';
import {readPayload} from '../../../src/queue/payload.ts';

test('an id is a number or digits, as AtoM sends it', () => {
  expect(readPayload('{"name":"arFileImportJob","objectId":7,"id":"449"}')).toEqual({
    jobId: 449,
    name: 'arFileImportJob',
    objectId: 7,
  });
});

test.each([
  '{"id":{"toString":""}}',
  '{"id":{"toString":"","valueOf":""}}',
  '{"id":["449"]}',
  '{"id":[449]}',
  '{"id":true}',
  '{"id":"0449"}',
  '{"id":-449}',
  '{"id":4.5}',
  '{"id":1e300}',
  '{"name":{"toString":""}}',
  'null',
  '[]',
  '"449"',
  '',
])('the payload %s names no row', (payload) => {
  expect(readPayload(payload)).toEqual({jobId: null, name: null, objectId: null});
});
