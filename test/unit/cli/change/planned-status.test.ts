import {expect, test} from 'vitest';
import {plannedStatus} from '../../../../src/cli/change/planned-status.ts';

test.each([
  ['no job', [], 0],
  ['none refused', ['marked', 'deleted'], 0],
  ['some refused', ['submitted', 'refused'], 1],
  ['one that can be done in part', ['failed', 'refused'], 1],
  ['all refused', ['refused', 'refused'], 5],
])('a plan with %s ends like the real run', (_, actions, status) => {
  expect(plannedStatus(actions.map((action) => ({action})))).toBe(status);
});
