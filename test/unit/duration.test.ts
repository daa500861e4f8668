import {expect, it} from 'vitest';
import {formatDuration} from '../../src/duration.ts';

it.each([
  [null, ''],
  [0, '0s'],
  [45, '45s'],
  [60, '1m'],
  [723, '12m 3s'],
  [5400, '1h 30m'],
  [3601, '1h'],
  [273_600, '3d 4h'],
  [-90, '-1m 30s'],
])('formatDuration(%s) is "%s"', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
