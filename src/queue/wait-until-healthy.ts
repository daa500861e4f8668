import type {Verdict} from './verdict.ts';

/**
 * Looks again and again until the verdict is ok or the time is over; returns the last look, whatever it saw.
 * @param options.seconds how long to go on; 0 looks once
 * @param options.sleep waits for milliseconds
 */
export async function waitUntilHealthy<T extends {status: {status: Verdict}}>(options: {
  look: () => Promise<T>;
  seconds: number;
  now: () => Date;
  sleep: (milliseconds: number) => Promise<void>;
}): Promise<T> {
  const {look, now, sleep} = options;
  const end = now().getTime() + options.seconds * 1000;
  for (;;) {
    const seen = await look();
    const left = end - now().getTime();
    if (seen.status.status === 'ok' || left <= 0) return seen;
    await sleep(Math.min(left, INTERVAL_MS));
  }
}

/** Short beside the seconds that a worker takes to start and register what it can do. */
const INTERVAL_MS = 500;
