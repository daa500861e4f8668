import {setTimeout as sleep} from 'node:timers/promises';

/** Waits for the time that the proof of a state lacks, and says so. The signal ends the wait. */
export function waitAloud(notice: (text: string) => void) {
  return async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
    notice(`Checking again in ${Math.round(milliseconds / 1000)} seconds, to confirm the result.`);
    await sleep(milliseconds, undefined, {signal}).catch(() => {});
  };
}
