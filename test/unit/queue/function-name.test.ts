import {expect, test} from 'vitest';
import {functionName, splitFunctionName} from '../../../src/queue/function-name.ts';

const PREFIX = '0123456789abcdef0123456789abcdef';

test.each([
  [`${PREFIX}-arFindingAidJob`, PREFIX, 'arFindingAidJob'],
  [`${PREFIX}-Inherit rights-2`, PREFIX, 'Inherit rights-2'],
  ['arFindingAidJob', null, 'arFindingAidJob'],
  [`${PREFIX}-`, null, `${PREFIX}-`],
  [`${PREFIX.slice(1)}-arFindingAidJob`, null, `${PREFIX.slice(1)}-arFindingAidJob`],
  [`${PREFIX.toUpperCase()}-arFindingAidJob`, null, `${PREFIX.toUpperCase()}-arFindingAidJob`],
  [`x${PREFIX}-arFindingAidJob`, null, `x${PREFIX}-arFindingAidJob`],
])('%s is prefix %s and class %s, and back again', (name, prefix, jobClass) => {
  expect(splitFunctionName(name)).toEqual({prefix, jobClass});
  expect(functionName(prefix, jobClass)).toBe(name);
});
