import {expect, test} from 'vitest';
import type {Severity} from '../../../src/queue/severity.ts';
import {waitUntilHealthy} from '../../../src/queue/status.ts';

/** Looks at the verdicts one after the other, on a clock that only sleeping and looking move. */
async function wait(verdicts: Severity[], seconds: number, lookMs = 0) {
  let clock = 0;
  let poll = 0;
  const last = await waitUntilHealthy({
    look: async () => {
      clock += lookMs;
      poll += 1;
      return {status: {status: verdicts.shift() ?? 'critical'}};
    },
    seconds,
    now: () => new Date(clock),
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
  });
  return {verdict: last.status.status, poll, clock};
}

test.each([
  ['healthy at once', ['ok'], 30, 0, {verdict: 'ok', poll: 1, clock: 0}],
  ['no time given', ['critical', 'ok'], 0, 0, {verdict: 'critical', poll: 1, clock: 0}],
  ['healthy later', ['critical', 'warning', 'unknown', 'ok'], 30, 0, {verdict: 'ok', poll: 4, clock: 1500}],
  [
    'never healthy: a last look when the time is over',
    [],
    1.2,
    0,
    {verdict: 'critical', poll: 4, clock: 1200},
  ],
  ['a look that takes longer than the time', [], 3, 5000, {verdict: 'critical', poll: 1, clock: 5000}],
] as [string, Severity[], number, number, object][])(
  '%s',
  async (_what, verdicts, seconds, lookMs, expected) => {
    expect(await wait(verdicts, seconds, lookMs)).toEqual(expected);
  },
);
