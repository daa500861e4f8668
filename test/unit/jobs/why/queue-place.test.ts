import {expect, test} from 'vitest';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {queuePlace} from '../../../../src/jobs/why/queue-place.ts';

const QUEUE = `${'a'.repeat(32)}-arFindingAidJob 127.0.0.1:4730`;

/** A job 7 in a queue of which so many wait and run, and the payloads that a probe read, in order. */
function place(
  options: {total: number; running?: number; payloads?: (number | null)[]; known?: boolean},
  {probed = false, refused = null as string | null} = {},
) {
  const {total, running = 0, payloads = [], known = false} = options;
  const evidence = {
    rows: [
      {
        id: 7,
        name: 'arFindingAidJob',
        objectId: null,
        known: known ? {queue: QUEUE, running: false} : null,
        queues: [QUEUE],
      },
    ],
    queues: [
      {queue: QUEUE, server: '127.0.0.1:4730', function: QUEUE.split(' ')[0], owner: 'site', total, running},
    ],
    payloads: payloads.map((jobId) => ({jobId, queue: QUEUE, name: null, objectId: null})),
  } as unknown as LiveEvidence;
  return queuePlace({evidence}, 7, {probed, refused});
}

test('after a probe, its place is that of its payload; a payload without an id has a place and no id', () => {
  expect(place({total: 4, running: 1, payloads: [5, null, 7]}, {probed: true})).toEqual({
    position: 3,
    ahead: [5],
  });
  expect(place({total: 1, payloads: [7]}, {probed: true, refused: 'Another server was not probed.'})).toEqual(
    {position: 1, ahead: []},
  );
});

test('without a probe, the only job that waits is the next', () => {
  expect(place({total: 2, running: 1, known: true})).toEqual({position: 1, ahead: []});
});

test.each([
  [
    {total: 3},
    {},
    '3 jobs wait for arFindingAidJob on 127.0.0.1:4730. Gearman shows their order only to a worker: add --probe.',
  ],
  [
    {total: 1},
    {},
    '1 job that may be this one waits for arFindingAidJob on 127.0.0.1:4730. Gearman shows their order only to a worker: add --probe.',
  ],
  [
    {total: 3, known: true},
    {probed: true, refused: 'A worker is free.'},
    '3 jobs wait for arFindingAidJob on 127.0.0.1:4730. A worker is free.',
  ],
  [
    {total: 3, payloads: [1, 2, 3]},
    {probed: true},
    '3 jobs wait for arFindingAidJob on 127.0.0.1:4730. The probe did not find it among them.',
  ],
  [{total: 1, running: 1}, {}, 'No job that may be this one waits on a Gearman server.'],
])('otherwise it is not known, for a reason: %j %j', (seen, how, reason) => {
  expect(place(seen, how)).toBe(reason);
});
