import {describe, expect, it} from 'vitest';
import {interruptibly} from '../../../src/cli/interrupt.ts';

describe('interruptibly', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('turns the first %s into an aborted signal', async (name) => {
    const seen = await interruptibly(async (signal) => {
      const before = signal.aborted;
      process.emit(name);
      return [before, signal.aborted];
    });
    expect(seen).toEqual([false, true]);
  });
});
