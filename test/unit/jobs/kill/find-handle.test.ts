import {expect, it} from 'vitest';
import {countedAlone, NONE, SEVERAL} from '../../../../src/jobs/kill/find-handle.ts';
import type {LiveEvidence} from '../../../../src/jobs/live/evidence.ts';
import {A, B, DAY, evidence, HOUR, host, keyless, MINUTE, NOW, queue, server} from '../live/given.ts';

/** A job runs, and one row without a key, begun fifty minutes ago, may be it. */
const oneRuns = (more: Partial<LiveEvidence> = {}) =>
  evidence([keyless(1)], {queues: [queue(1, 1)], ...more});

const started = (address: string, ago: number | null) =>
  server({address, startedMs: ago === null ? null : NOW - ago});

it.each<[string, LiveEvidence]>([
  ['the only server is on another host', oneRuns()],
  ['the server is older than the job', oneRuns({servers: [started(A, HOUR)]})],
  ['the other server is older than the job', oneRuns({servers: [started(A, null), started(B, HOUR)]})],
])('is the job that runs: %s', (_, given) => {
  expect(countedAlone({evidence: given}, 1)).toMatchObject(queue(1, 1));
});

const FORGOTTEN = expect.stringContaining('may have been restarted since it began');

it.each<[string, LiveEvidence, unknown]>([
  ['none runs', oneRuns({queues: [queue(1, 0)]}), NONE],
  ['two run', oneRuns({queues: [queue(2, 2)]}), SEVERAL],
  ['a server did not answer', oneRuns({servers: [server({error: 'It is down.'})]}), NONE],
  [
    'its server was started as it began, and forgot it: what runs has lost its row',
    oneRuns({servers: [started(A, 50 * MINUTE)]}),
    FORGOTTEN,
  ],
  [
    'the other server was started as it began, and may have had it',
    oneRuns({servers: [started(A, DAY), started(B, 50 * MINUTE)]}),
    FORGOTTEN,
  ],
  [
    'the start of the other server is not known',
    oneRuns({servers: [started(A, DAY), started(B, null)]}),
    FORGOTTEN,
  ],
  [
    'the clock is not sure by more than the server is older',
    oneRuns({
      servers: [started(A, HOUR)],
      host: host({clock: {nowMs: NOW, uncertaintyMs: HOUR, reason: 'Not observed.'}}),
    }),
    FORGOTTEN,
  ],
])('no job is it: %s', (_, given, why) => {
  expect(countedAlone({evidence: given}, 1)).toEqual(why);
});
