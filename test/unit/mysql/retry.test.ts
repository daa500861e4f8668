import {expect, test, vi} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {retryWhileBusy} from '../../../src/mysql/retry.ts';

// The pauses between attempts are nothing to wait for here.
vi.mock('node:timers/promises', () => ({setTimeout: async () => {}}));

const busy = new AtomctlError('DATABASE_BUSY', 'Locked.');

test('tries again until the locks are gone', async () => {
  const work = vi
    .fn(async () => 'done')
    .mockRejectedValueOnce(busy)
    .mockRejectedValueOnce(busy);
  expect(await retryWhileBusy(work)).toBe('done');
  expect(work).toHaveBeenCalledTimes(3);
});

test('gives up after five attempts with the last error', async () => {
  const work = vi.fn(() => Promise.reject(busy));
  await expect(retryWhileBusy(work)).rejects.toBe(busy);
  expect(work).toHaveBeenCalledTimes(5);
});

test.each([new AtomctlError('DATABASE_LOST', 'Gone.'), new TypeError('mistake')])(
  '%s is final',
  async (error) => {
    const work = vi.fn(() => Promise.reject(error));
    await expect(retryWhileBusy(work)).rejects.toBe(error);
    expect(work).toHaveBeenCalledTimes(1);
  },
);
