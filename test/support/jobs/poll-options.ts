import type {PollOptions} from '../../../src/jobs/wait/poll.ts';

/** What looks() needs, on a clock that only pausing moves. */
export function pollOptions({maxSeconds = null, intervalSeconds = 1}: Partial<PollOptions> = {}) {
  let clock = 0;
  let reopened = 0;
  const controller = new AbortController();
  const options: PollOptions = {
    maxSeconds,
    intervalSeconds,
    signal: controller.signal,
    now: () => new Date(clock),
    pause: async (milliseconds) => {
      clock += milliseconds;
    },
    reopen: async () => {
      reopened += 1;
    },
  };
  return {
    options,
    interrupt: () => controller.abort(),
    seconds: () => clock / 1000,
    reopened: () => reopened,
  };
}
