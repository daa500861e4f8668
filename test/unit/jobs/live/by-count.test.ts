import {expect, it} from 'vitest';
import type {EndedJobs, LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {
  A,
  B,
  connection,
  DAY,
  ELSEWHERE,
  evidence,
  FINDING_AIDS,
  host,
  keyless,
  MINUTE,
  NOW,
  processes,
  queue,
  server,
  shown,
  worker,
} from './given.ts';

/** A job runs and one row without a key may be it. */
const oneRuns = (more: Partial<LiveEvidence> = {}) =>
  evidence([keyless(1)], {queues: [queue(1, 1)], ...more});
/** The same on two servers: two jobs, two rows. */
const twoRun = (more: Partial<LiveEvidence>) =>
  evidence(
    [1, 2].map((id) => keyless(id, {queues: [FINDING_AIDS, ELSEWHERE]})),
    {
      queues: [queue(1, 1), queue(1, 1, {queue: ELSEWHERE, server: B})],
      servers: [server(), server({address: B})],
      ...more,
    },
  );
const youngWorkers = (...pids: number[]) =>
  host(processes({workers: pids.map((pid) => worker(pid, {startedMs: NOW - MINUTE}))}));
const ended = (more: Partial<EndedJobs>): EndedJobs => ({
  name: 'arFindingAidJob',
  latestMs: NOW - DAY,
  atWork: false,
  importFiles: [],
  ...more,
});

it.each<[string, LiveEvidence]>([
  ['one job runs, and there is one row', oneRuns()],
  ['a job of its class ended before it began', oneRuns({ended: [ended({})]})],
  [
    'a job of another class may still be at work',
    oneRuns({ended: [ended({name: 'arObjectMoveJob', atWork: true})]}),
  ],
  [
    'of two workers that can do it one is old enough',
    oneRuns({
      workers: [connection(9), connection(8)],
      host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE}), worker(8)]})),
    }),
  ],
  [
    'its worker may be in a container, under the PID of a young one here',
    oneRuns({workers: [connection(9, {fromHere: false})], host: youngWorkers(9)}),
  ],
  ['the start of the process of its worker is not known', oneRuns({workers: [connection(9)]})],
  ['its worker is not one of AtoM', oneRuns({workers: [connection(null)], host: youngWorkers(9)})],
  [
    'each server is older than it',
    twoRun({servers: [A, B].map((address) => server({address, startedMs: 0}))}),
  ],
])('a job executes by count if %s', (_, given) => expect(shown(given)).toBe('executing'));

it.each<[string, LiveEvidence, string?]>([
  [
    'another atomctl holds jobs of one of two servers',
    twoRun({servers: [server(), server({address: B, probing: true})]}),
    '?',
  ],
  [
    'a client under the name of an atomctl holds jobs of one of its queues',
    twoRun({workers: [connection(null, {id: 'atomctl-x', server: B, queues: [ELSEWHERE]})]}),
  ],
  [
    'one of two servers was restarted since it began',
    twoRun({servers: [server({startedMs: 0}), server({address: B, startedMs: NOW - MINUTE})]}),
  ],
  [
    'one of two servers did not answer',
    twoRun({servers: [server(), server({address: B, error: 'No answer.'})]}),
    '?',
  ],
  ['it is not known when a job of its class ended', oneRuns({ended: [ended({latestMs: null})]})],
  [
    'it is not known when it began, and a job of its class has ended',
    evidence([keyless(1, {begun: {earliestMs: null, lastMs: null}})], {
      queues: [queue(1, 1)],
      ended: [ended({})],
    }),
  ],
  [
    'a job of a name that may be of any class is still at work',
    oneRuns({ended: [ended({name: 'Mein Auftrag', atWork: true})]}),
  ],
  [
    'it may be of any class itself, and another is still at work',
    evidence([keyless(1, {name: 'Mein Auftrag'})], {queues: [queue(1, 1)], ended: [ended({atWork: true})]}),
  ],
  [
    'each worker that can do it is too young, though one for other jobs is not',
    oneRuns({
      workers: [connection(9), connection(8, {queues: [`p-arObjectMoveJob ${A}`]})],
      host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE}), worker(8)]})),
    }),
  ],
])('a job does not execute by count if %s', (_, given, state = 'executing?') => {
  expect(shown(given)).toBe(state);
});
