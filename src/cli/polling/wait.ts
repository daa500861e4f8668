import {type Milestone, startedIds, type Waited, waitForJobs} from '../../jobs/wait/wait.ts';
import {renderWaiting} from '../../render/jobs/details.ts';
import type {Context} from '../context.ts';
import {ProgressLine} from '../terminal/progress.ts';
import {fetchWatchedJobs, onceEach, type PollSession, pollSession} from './poll-session.ts';

export interface WaitJobsOptions {
  ids: readonly number[];
  until: Milestone;
  intervalSeconds: number;
  /** null: without limit. */
  maxSeconds: number | null;
  quiet: boolean;
  stderr: NodeJS.WriteStream;
  notice: (text: string) => void;
}

/** Waits for the jobs, with a line of progress if stderr is a terminal. @throws AtomctlError */
export function waitOnJobs(settings: Context, options: WaitJobsOptions): Promise<Waited> {
  const {until, intervalSeconds, maxSeconds, quiet, stderr} = options;
  const ids = [...new Set(options.ids)].sort((a, b) => a - b);
  const line = new ProgressLine(stderr, {quiet});
  const notice = onceEach((text: string) => {
    line.clear();
    options.notice(text);
  });
  return pollSession(settings, async (session) => {
    try {
      return await waitForJobs({
        ...session,
        ids,
        until,
        intervalSeconds,
        maxSeconds,
        now: settings.now,
        fetch: async () => ({
          ...(await fetchWatchedJobs(session, {ids, live: true, notice})),
          started: until === 'started' ? await started(session, ids) : new Set<number>(),
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
