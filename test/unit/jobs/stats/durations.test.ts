import fc from 'fast-check';
import {expect, test} from 'vitest';
import {Durations} from '../../../../src/jobs/stats/durations.ts';

function summaryOf(seconds: readonly number[]) {
  const durations = new Durations();
  for (const each of seconds) durations.add(each);
  return durations.summary();
}

test.each([
  ['nothing', [], null],
  ['one job', [7], {median: 7, p95: 7, max: 7}],
  ['an even number, of which none is in the middle', [40, 10, 20, 31], {median: 25.5, p95: 38.65, max: 40}],
  ['two far apart', [0, 12356462], {median: 6178231, p95: 11738638.9, max: 12356462}],
  ['many alike', [5, 5, 5, 5, 90], {median: 5, p95: 73, max: 90}],
])('figures of %s', (_, seconds, expected) => {
  const summary = summaryOf(seconds);
  expect(summary).toEqual(expected);
});

test('the same as sorting all of them would give', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({min: -10, max: 50}), {minLength: 1, maxLength: 80}), (seconds) => {
      const sorted = [...seconds].sort((one, other) => one - other);
      const cut = (share: number) => {
        const rank = (sorted.length - 1) * share;
        const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
        return below + (above - below) * (rank % 1);
      };
      const summary = summaryOf(seconds)!;
      expect(summary.median).toBeCloseTo(cut(0.5), 9);
      expect(summary.p95).toBeCloseTo(cut(0.95), 9);
      expect(summary.max).toBe(sorted.at(-1));
    }),
  );
});
