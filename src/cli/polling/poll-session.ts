import {setTimeout as sleep} from 'node:timers/promises';
import {fetchStates, type JobStates} from '../../jobs/wait/poll.ts';
import type {Context} from '../context.ts';
import {interruptibly} from '../interrupt.ts';
import {liveSources, noticeMissing} from '../live.ts';

/** What a command that stays works with, from one look to the next. */
export interface PollSession {
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  /** Waits for milliseconds, or until the signal is aborted. */
  pause: (milliseconds: number) => Promise<void>;
  /** The context with the connections of now. */
  context: () => Context;
  /** Closes the connections; those asked for next are opened anew. */
  reopen: () => Promise<void>;
}

/**
 * Runs work that stays until something happens. It outlives its connections, and Ctrl-C ends it between two looks:
 * whatever a look waits for has a bound.
 */
export function pollSession<T>(
  settings: Context,
  work: (pollSession: PollSession) => Promise<T>,
): Promise<T> {
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

/** A notice that says each thing once, however often a look finds it. */
export function onceEach(notice: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    notice(text);
  };
}

/** One look at some jobs on the connections of now. A Gearman server that is away is tried anew the next time. */
export async function fetchWatchedJobs(
  pollSession: PollSession,
  options: {ids: readonly number[]; live: boolean; notice: (text: string) => void},
): Promise<JobStates> {
  const {ids, live, notice} = options;
  const context = pollSession.context();
  const [database, time] = await Promise.all([context.database(), context.time()]);
  const look = await fetchStates(
    {database, time, now: context.now(), ids, live, pause: pollSession.pause},
    () => liveSources(context, {notice}),
  );
  if (look.report !== null && look.report.missing.length > 0) {
    noticeMissing(look.report, notice);
    await pollSession.reopen();
  }
  return look;
}
