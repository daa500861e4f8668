import {expect, test} from 'vitest';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {queuePlace, serversToReach} from '../../../../src/jobs/why/queue-place.ts';

const QUEUE = `${'a'.repeat(32)}-arFindingAidJob 127.0.0.1:4730`;

/** A job 7 in a queue of which so many wait and run, and the payloads that a probe read, in order. */
function place(seen: Seen, {probed = false, refused = null as string | null} = {}) {
  return queuePlace({evidence: evidenceOf(seen)}, 7, {probed, refused});
}

interface Seen {
  total: number;
  running?: number;
  payloads?: (number | null)[];
  known?: boolean;
  /** Another server does not answer. */
  silent?: boolean;
}

function evidenceOf({total, running = 0, payloads = [], known = false, silent = false}: Seen): LiveEvidence {
  return {
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
    servers: [
      {address: '127.0.0.1:4730', error: null},
      ...(silent ? [{address: '127.0.0.1:4731', error: 'It cannot be reached.'}] : []),
    ],
  } as unknown as LiveEvidence;
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
  [{total: 0, silent: true}, {}, 'It is not known which queue has it: 127.0.0.1:4731 does not answer.'],
  [
    {total: 3, silent: true},
    {},
    '3 jobs wait for arFindingAidJob on 127.0.0.1:4730. Gearman shows their order only to a worker: add --probe. 127.0.0.1:4731 does not answer.',
  ],
])('otherwise it is not known, for a reason: %j %j', (seen, how, reason) => {
  expect(place(seen, how)).toBe(reason);
});

test.each([
  [
    'nothing waits on the servers that answer',
    {total: 1, running: 1, silent: true},
    false,
    ['127.0.0.1:4731'],
  ],
  ['a probe of the others can find it', {total: 3, silent: true}, false, []],
  ['a probe did not find it', {total: 3, silent: true}, true, ['127.0.0.1:4731']],
  ['it is known where it is', {total: 3, silent: true, known: true}, true, []],
  ['every server answers', {total: 0}, false, []],
])('the silent server must be reached first: %s', (_, seen, probed, servers) => {
  const evidence = evidenceOf(seen);
  expect(serversToReach({evidence}, evidence.rows[0]!, {probed})).toEqual(servers);
});
