import {expect, test} from 'vitest';
import type {Severity} from '../../../src/queue/severity.ts';
import {waitUntilHealthy} from '../../../src/queue/status.ts';

/** Polls verdicts one after the other, on a clock that only sleeping and polling move. */
async function wait(verdicts: Severity[], seconds: number, pollMs = 0) {
  let clock = 0;
  let polls = 0;
  const last = await waitUntilHealthy({
    fetch: async () => {
      clock += pollMs;
      polls += 1;
      return {status: {status: verdicts.shift() ?? 'critical'}};
    },
    seconds,
    now: () => new Date(clock),
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
  });
  return {verdict: last.status.status, polls, clock};
}

test.each([
  ['healthy at once', ['ok'], 30, 0, {verdict: 'ok', polls: 1, clock: 0}],
  ['no time given', ['critical', 'ok'], 0, 0, {verdict: 'critical', polls: 1, clock: 0}],
  ['healthy later', ['critical', 'warning', 'unknown', 'ok'], 30, 0, {verdict: 'ok', polls: 4, clock: 1500}],
  [
    'never healthy: a last poll when the time is over',
    [],
    1.2,
    0,
    {verdict: 'critical', polls: 4, clock: 1200},
  ],
  ['a poll that takes longer than the time', [], 3, 5000, {verdict: 'critical', polls: 1, clock: 5000}],
] as [string, Severity[], number, number, object][])(
  '%s',
  async (_what, verdicts, seconds, pollMs, expected) => {
    expect(await wait(verdicts, seconds, pollMs)).toEqual(expected);
  },
);
