import {afterEach, expect, it} from 'vitest';
import {deferSignals, interruptibly} from '../../../../src/cli/terminal/interrupt.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

afterEach(() => {
  for (const name of SIGNALS) process.removeAllListeners(name);
});

it.each(SIGNALS)('turns %s into an aborted signal, and a second one changes nothing', async (name) => {
  let acknowledged = 0;
  const seen = await interruptibly(
    async (signal) => {
      const before = signal.aborted;
      process.emit(name);
      process.emit(name);
      return [before, signal.aborted];
    },
    () => {
      acknowledged += 1;
    },
  );
  expect([seen, acknowledged]).toEqual([[false, true], 2]);
});

it.each(SIGNALS)('lets short work end before %s ends the command', async (name) => {
  const steps: string[] = [];
  const work = deferSignals(async () => {
    process.emit(name);
    process.emit(name);
    await Promise.resolve();
    steps.push('given back');
  });
  await expect(work).rejects.toMatchObject({code: 'INTERRUPTED'});
  expect([steps, process.listenerCount(name)]).toEqual([['given back'], 0]);
  expect(await deferSignals(async () => 'undisturbed')).toBe('undisturbed');
});
