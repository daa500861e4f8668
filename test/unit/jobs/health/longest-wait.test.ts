import {expect, test} from 'vitest';
import {longestWait} from '../../../../src/jobs/health/longest-wait.ts';
import {liveVerdicts} from '../../../../src/jobs/live/verdict.ts';
import {begun, evidence, FINDING_AIDS, MINUTE, NOW, queue, row, running, waiting} from '../live/given.ts';

const now = new Date(NOW);

function waitOf(rows: ReturnType<typeof row>[], excluded: string[] = []) {
  const seen = evidence(rows, {queues: [queue(3, 1)]});
  return longestWait({evidence: seen, verdicts: liveVerdicts(seen)}, {now, excluded});
}

test('the job that waits longest: since its start, or since its last log line if it was begun before', () => {
  const again = begun(1, waiting());
  const never = row(2, {createdMs: NOW - 5 * MINUTE, ...waiting()});
  expect(waitOf([never])).toEqual({id: 2, name: 'arFindingAidJob', seconds: 300});
  expect(waitOf([never, again])).toEqual({id: 1, name: 'arFindingAidJob', seconds: 2400});
});

test('an executing job and an excluded one do not wait', () => {
  expect(waitOf([begun(1, running())])).toBeNull();
  expect(waitOf([row(2, {...waiting(FINDING_AIDS)})], ['arFindingAidJob'])).toBeNull();
});
