import {Flags} from '@oclif/core';
import {MILESTONES, type Milestone, startedIds, type Waited, waitForJobs} from '../../jobs/wait/wait.ts';
import {renderWaiting} from '../../render/jobs/details.ts';
import type {Context} from '../context.ts';
import {secondsFrom} from '../flags/shared-flags.ts';
import {ProgressLine} from '../progress.ts';
import {fetchWatchedJobs, onceEach, type PollSession, pollSession} from './poll-session.ts';

/** What to wait for, and for how long. */
export const waitFlags = {
  until: Flags.option({
    summary: 'Wait until the jobs have finished, or only until they have started.',
    options: MILESTONES,
    default: 'finished' as const,
  })(),
  'max-wait': Flags.custom<number>({
    summary: 'Give up after so long, with exit status 124.',
    helpValue: 'SECONDS',
    parse: secondsFrom(0),
  })(),
  interval: Flags.custom<number>({
    summary: 'Look so often.',
    helpValue: 'SECONDS',
    default: 1,
    parse: secondsFrom(0.1),
  })(),
};

export interface WaitWishes {
  ids: readonly number[];
  flags: {until: Milestone; 'max-wait'?: number; interval: number; quiet?: boolean};
  stderr: NodeJS.WriteStream;
  notice: (text: string) => void;
}

/** Waits for the jobs, with a line on a terminal's stderr that tells how things are. @throws AtomctlError */
export function waitOnJobs(settings: Context, {ids, flags, stderr, notice}: WaitWishes): Promise<Waited> {
  const line = new ProgressLine(stderr, {quiet: flags.quiet === true});
  const options = {
    ids: [...new Set(ids)].sort((a, b) => a - b),
    notice: onceEach((text: string) => {
      line.clear();
      notice(text);
    }),
    live: true,
  };
  return pollSession(settings, async (session) => {
    try {
      return await waitForJobs({
        ...session,
        ids: options.ids,
        until: flags.until,
        intervalSeconds: flags.interval,
        maxSeconds: flags['max-wait'] ?? null,
        now: settings.now,
        look: async () => ({
          ...(await fetchWatchedJobs(session, options)),
          started: flags.until === 'started' ? await started(session, options.ids) : new Set<number>(),
        }),
        onPoll: (waited) => line.show(renderWaiting(waited)),
      });
    } finally {
      line.clear();
    }
  });
}

async function started({context}: PollSession, ids: readonly number[]): Promise<Set<number>> {
  return startedIds(await context().database(), ids);
}
