import {expect, test} from 'vitest';
import {lastingStalls, suspectStalls} from '../../../../src/jobs/health/stalled-workers.ts';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {
  anEvidence,
  aQueue,
  aRow,
  aServer,
  aWorker,
  HOUR_AGO,
  likelyQueued,
  NOW_MS,
  queueOf,
} from './a-queue.ts';

const AID = 'arFindingAidJob';
const IMPORT = 'arFileImportJob';
const NONE = new Map<string, number>();

function suspect(evidence: Partial<LiveEvidence>, ignored: ReadonlyMap<string, number> = NONE) {
  const whole = anEvidence(evidence);
  return suspectStalls({evidence: whole, verdicts: likelyQueued(whole)}, {ignored, nowMs: NOW_MS});
}

/** Two jobs wait, and a worker that can run them executes nothing. */
const STALLED: Partial<LiveEvidence> = {
  rows: [aRow(1), aRow(2, {createdMs: HOUR_AGO + 60_000})],
  queues: [aQueue(AID, 2, 0)],
  workers: [aWorker(7, [AID])],
};

test('jobs that wait while a worker that can run them executes nothing', () => {
  expect(suspect(STALLED)).toEqual([
    {
      jobClasses: [AID],
      waiting: 2,
      sinceMs: HOUR_AGO,
      workers: [{id: 'pid_7_65', pid: 7, ip: '10.0.0.1', server: 'one:4730'}],
      idle: 1,
      rowIds: [1, 2],
    },
  ]);
});

test('the classes of one worker are one stall; of more rows than jobs, the newest count', () => {
  const rows = [
    aRow(1, {createdMs: 0}),
    aRow(2),
    aRow(3, {name: IMPORT, queues: [queueOf(IMPORT)], createdMs: HOUR_AGO + 1}),
  ];
  const queues = [aQueue(AID, 1, 0), aQueue(IMPORT, 1, 0)];
  const [stall, ...others] = suspect({rows, queues, workers: [aWorker(7, [AID, IMPORT])]});
  expect([stall, others]).toEqual([
    expect.objectContaining({jobClasses: [IMPORT, AID], waiting: 2, sinceMs: HOUR_AGO}),
    [],
  ]);
});

test.each<[why: string, evidence: Partial<LiveEvidence>, ignored?: ReadonlyMap<string, number>]>([
  ['no worker can run them', {...STALLED, workers: [aWorker(7, [IMPORT])]}],
  [
    'the worker executes another class',
    {...STALLED, queues: [aQueue(AID, 2, 0), aQueue(IMPORT, 1, 1)], workers: [aWorker(7, [AID, IMPORT])]},
  ],
  [
    'as many jobs run as there are workers',
    {...STALLED, queues: [aQueue(AID, 4, 2)], workers: [aWorker(7, [AID]), aWorker(8, [AID])]},
  ],
  ['no row explains what waits', {...STALLED, rows: []}],
  ['they are new', {...STALLED, rows: [aRow(1, {createdMs: NOW_MS - 14_000})]}],
  ['cancelled entries wait', STALLED, new Map([['one:4730', 2]])],
  [
    'a server did not answer',
    {...STALLED, servers: [aServer('one:4730'), aServer('two:4730', {error: 'It is down.'})]},
  ],
  ['another atomctl holds jobs', {...STALLED, servers: [aServer('one:4730', {probing: true})]}],
  [
    'the worker is not connected to every server, and may execute a job of the other',
    {...STALLED, servers: [aServer('one:4730'), aServer('two:4730')]},
  ],
  [
    'the worker does jobs that are not counted',
    {...STALLED, workers: [aWorker(7, [AID], {doesOthers: true})]},
  ],
  ["the queue may be another site's", {...STALLED, queues: [aQueue(AID, 2, 0, {owner: 'unknown'})]}],
  ['the worker is atomctl', {...STALLED, workers: [aWorker(7, [AID], {id: 'atomctl-probe-1-2'})]}],
])('no stall: %s', (_why, evidence, ignored) => {
  expect(suspect(evidence, ignored)).toEqual([]);
});

test('a start in the future shows a wrong clock: since when is not known', () => {
  expect(suspect({...STALLED, rows: [aRow(1, {createdMs: NOW_MS + 60_000})]})).toEqual([
    expect.objectContaining({sinceMs: null}),
  ]);
});

test('a stall lasts if the same workers execute nothing and no job that waited was begun', () => {
  const first = suspect(STALLED);
  const lasting = [expect.objectContaining({waiting: 2, idle: 1})];
  expect(lastingStalls(first, first)).toEqual(lasting);
  const more = {...STALLED, rows: [...STALLED.rows!, aRow(3)], queues: [aQueue(AID, 3, 0)]};
  expect(lastingStalls(first, suspect(more))).toEqual(lasting);
  expect(lastingStalls(first, suspect({...STALLED, rows: [aRow(2)]}))).toEqual([]);
  expect(lastingStalls(first, suspect({...STALLED, workers: [aWorker(8, [AID])]}))).toEqual([]);
  expect(lastingStalls(first, [])).toEqual([]);
});
