import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {watchForStall} from '../../../src/mysql/session.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('checks after a stall, not after progress, and not after its end', async () => {
  let bytes = 0;
  const check = vi.fn(async () => {});
  const end = watchForStall(1000, () => bytes, check);
  await vi.advanceTimersByTimeAsync(1000);
  expect(check).toHaveBeenCalledTimes(1);
  bytes = 10;
  await vi.advanceTimersByTimeAsync(1000);
  expect(check).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(check).toHaveBeenCalledTimes(3);
  end();
  expect(vi.getTimerCount()).toBe(0);
});

test('ended in the middle of a check, it stays ended', async () => {
  let answer = () => {};
  const check = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  );
  const end = watchForStall(1000, () => 'nothing', check);
  await vi.advanceTimersByTimeAsync(1000);
  end();
  answer();
  await vi.advanceTimersByTimeAsync(5000);
  expect(check).toHaveBeenCalledTimes(1);
});
