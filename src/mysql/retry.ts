import {setTimeout as sleep} from 'node:timers/promises';
import {AtomctlError} from '../errors.ts';

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 50;

/**
 * Runs `work` again while other sessions hold locks, up to five times with growing pauses. Each attempt must
 * leave nothing behind when it fails: the server rolls a deadlocked transaction or a refused statement back.
 * @throws AtomctlError DATABASE_BUSY after the last attempt
 */
export async function retryWhileBusy<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const busy = error instanceof AtomctlError && error.code === 'DATABASE_BUSY';
      if (!busy || attempt === ATTEMPTS) throw error;
    }
    // Two sessions that deadlocked must not try again at the same moment.
    await sleep(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
  }
}
