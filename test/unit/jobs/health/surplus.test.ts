import {expect, test} from 'vitest';
import {findSurplus, lastingSurplus} from '../../../../src/jobs/health/surplus.ts';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {anEvidence, aQueue, aRow, payload, queueOf} from './a-queue.ts';

const AID = 'arFindingAidJob';
const CSV = 'arActorCsvExportJob';
const NONE = new Map<string, number>();
const queue = queueOf(AID);

const counts = (evidence: Partial<LiveEvidence>, ignored: ReadonlyMap<string, number> = NONE) =>
  findSurplus(anEvidence(evidence), ignored).map(({jobClasses, count}) => [...jobClasses, count]);

test.each<[what: string, evidence: Partial<LiveEvidence>, expected: unknown[]]>([
  ['more jobs than rows', {queues: [aQueue(AID, 3, 1)], rows: [aRow(1)]}, [[AID, 2]]],
  ['as many jobs as rows', {queues: [aQueue(AID, 1, 0)], rows: [aRow(1)]}, []],
  [
    'a row whose key is known explains its job alone',
    {
      queues: [aQueue(AID, 2, 1)],
      rows: [aRow(1, {key: 'exact', keyAsked: true, known: {queue, running: true}})],
    },
    [[AID, 1]],
  ],
  [
    'a row whose key no server knows explains none',
    {
      queues: [aQueue(AID, 1, 0)],
      rows: [aRow(1, {key: 'exact', keyAsked: true})],
    },
    [[AID, 1]],
  ],
  [
    'a row that may be in either of two queues explains one job',
    {
      queues: [aQueue(AID, 1, 0), aQueue(CSV, 1, 0)],
      rows: [aRow(1, {name: 'CSV', queues: [queue, queueOf(CSV)]})],
    },
    [[CSV, AID, 1]],
  ],
  ["a queue that may be another site's", {queues: [aQueue(AID, 3, 0, {owner: 'unknown'})]}, []],
  [
    'payloads show it exactly, also beside a row without a job',
    {
      queues: [aQueue(AID, 2, 0)],
      rows: [aRow(1), aRow(2)],
      payloads: [payload(queue, 1), payload(queue, 900)],
    },
    [[AID, 1]],
  ],
  [
    "a payload that is not AtoM's",
    {queues: [aQueue(AID, 1, 0)], payloads: [payload(queue, null)]},
    [[AID, 1]],
  ],
])('%s', (_what, evidence, expected) => {
  expect(counts(evidence)).toEqual(expected);
});

test('cancelled entries of the server may be all of it', () => {
  const evidence = {queues: [aQueue(AID, 3, 0)]};
  expect(counts(evidence, new Map([['one:4730', 1]]))).toEqual([[AID, 2]]);
  expect(counts(evidence, new Map([['one:4730', 3]]))).toEqual([]);
});

test('only what both snapshots show lasts', () => {
  const [two, three, other] = [aQueue(AID, 2, 0), aQueue(AID, 3, 0), aQueue(CSV, 2, 0)].map((seen) =>
    findSurplus(anEvidence({queues: [seen]}), NONE),
  );
  expect(lastingSurplus(two!, three!)).toEqual([{jobClasses: [AID], queues: [queue], count: 2}]);
  expect(lastingSurplus(three!, two!)).toEqual([expect.objectContaining({count: 2})]);
  expect(lastingSurplus(two!, other!)).toEqual([]);
});
