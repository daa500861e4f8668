import {setTimeout as sleep} from 'node:timers/promises';
import {fetchStates, type JobStates} from '../../jobs/wait/poll.ts';
import type {Context} from '../context.ts';
import {liveSources, noticeMissing} from '../site/live.ts';
import {interruptibly} from '../terminal/interrupt.ts';

/** What a polling command works with. */
export interface PollSession {
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  /** Waits for milliseconds, or until the signal is aborted. */
  pause: (milliseconds: number) => Promise<void>;
  /** The context with the current connections. */
  context: () => Context;
  /** Closes the connections; the next poll opens new ones. */
  reopen: () => Promise<void>;
}

/**
 * Runs work that polls until something happens. It survives lost connections. Ctrl-C ends it between two polls, soon
 * because everything that a poll waits for has a timeout.
 */
export function pollSession<T>(settings: Context, work: (session: PollSession) => Promise<T>): Promise<T> {
  return interruptibly(async (signal) => {
    let context = settings.renewed();
    const pause = async (milliseconds: number) => {
      await sleep(milliseconds, undefined, {signal}).catch(() => {});
    };
    const reopen = async () => {
      await context.dispose();
      context = settings.renewed();
    };
    try {
      return await work({signal, pause, context: () => context, reopen});
    } finally {
      await context.dispose();
    }
  });
}

/** Passes each text on once, however often it comes. */
export function onceEach(notice: (text: string) => void): (text: string) => void {
  const seen = new Set<string>();
  return (text) => {
    if (seen.has(text)) return;
    seen.add(text);
    notice(text);
  };
}

/** Polls some jobs once. If a Gearman server does not answer, the next poll opens new connections. */
export async function fetchWatchedJobs(
  session: PollSession,
  options: {ids: readonly number[]; live: boolean; notice: (text: string) => void},
): Promise<JobStates> {
  const {ids, live, notice} = options;
  const context = session.context();
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const states = await fetchStates(
    {database, time, now: context.now(), ids, live, pause: session.pause},
    () => liveSources(context, {notice}),
  );
  if (states.report !== null && states.report.missing.length > 0) {
    noticeMissing(states.report, notice);
    await session.reopen();
  }
  return states;
}
