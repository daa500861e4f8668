import {setTimeout as sleep} from 'node:timers/promises';

/** How long real parts may take to do what the model did at once. */
const DEADLINE_MS = 10_000;
const ASK_AGAIN_MS = 2;

/** The real parts did something else than the model: one of the two is wrong. */
export class Disagreement extends Error {}

/**
 * Waits until there is an answer.
 * @param change resolves when it makes sense to ask again; the signal says that nobody waits any more
 * @throws Disagreement with the sentence of `what` if there is none in time
 */
export async function waitFor<T>(
  answer: () => T | undefined | Promise<T | undefined>,
  what: () => string,
  change: (signal: AbortSignal) => Promise<unknown> = () => sleep(ASK_AGAIN_MS),
): Promise<T> {
  for (const deadline = Date.now() + DEADLINE_MS; ; ) {
    const found = await answer();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Disagreement(what());
    const done = new AbortController();
    await Promise.race([
      change(done.signal).catch(() => {}),
      sleep(DEADLINE_MS, null, {signal: done.signal}).catch(() => {}),
    ]);
    done.abort();
  }
}
