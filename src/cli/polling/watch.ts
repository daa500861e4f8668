import {Flags} from '@oclif/core';
import {AtomctlError, EXIT} from '../../errors.ts';
import {errorDocument} from '../../render/error.ts';
import {sanitizeJson} from '../../render/sanitize.ts';
import type {Context} from '../context.ts';
import {secondsFrom} from '../flags/shared-flags.ts';
import {written} from '../terminal/io.ts';
import {type PollSession, pollSession} from './poll-session.ts';
import {terminalView} from './watch-terminal.ts';
import type {Round, View, Watched, WatchOutput} from './watch-view.ts';

/** `--watch[=SECONDS]`. cli/start gives `--watch` alone its default, since oclif cannot. */
export function watchFlag(exclusive: string[]) {
  return Flags.custom<number>({
    summary: 'Refresh every two seconds or every SECONDS, and mark what changed. Ctrl-C ends it.',
    // oclif puts "=" and the value behind the label.
    helpLabel: '    --watch[',
    helpValue: 'SECONDS]',
    parse: secondsFrom(0.1),
    exclusive,
  })();
}

/**
 * Polls and shows until it is interrupted; returns the exit status. Each poll opens its own connections, so that it
 * finds a server that came back; one that does not answer is reported and tried again.
 * @throws AtomctlError what the first poll throws
 */
export function watch<T>(settings: Context, watched: Watched<T>, output: WatchOutput): Promise<number> {
  return pollSession(settings, async (session) => {
    const notices: string[] = [];
    const at = await wallClock(session);
    const data = await watched.fetch(session.context(), (text) => notices.push(text));
    if (session.signal.aborted) return EXIT.interrupted;
    let round: Round<T> = {at, data, notices, error: null};
    const view = openView(watched, output);
    const close = () => void view.close();
    session.signal.addEventListener('abort', close, {once: true});
    try {
      for (;;) {
        await view.show(round);
        await session.pause(watched.seconds * 1000);
        if (session.signal.aborted) return EXIT.interrupted;
        await session.reopen();
        round = await nextRound(session, watched, round.data);
        if (session.signal.aborted) return EXIT.interrupted;
      }
    } finally {
      await view.close();
    }
  });
}

function openView<T>(watched: Watched<T>, output: WatchOutput): View<T> {
  if (output.json) return documentView(watched, output);
  const onTerminal = output.screen().isTTY && output.env.TERM !== 'dumb';
  return onTerminal ? terminalView(watched, output) : textView(watched, output);
}

async function nextRound<T>(session: PollSession, watched: Watched<T>, last: T): Promise<Round<T>> {
  const notices: string[] = [];
  const at = await wallClock(session);
  try {
    const data = await watched.fetch(session.context(), (text) => notices.push(text));
    return {at, notices, data, error: null};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {at, notices, data: last, error};
  }
}

async function wallClock({context}: PollSession): Promise<string> {
  return (await context().time()).toWall(context().now());
}

/** For a pipe: a block for each poll, with its time above. */
export function textView<T>({text}: Watched<T>, {stdout, screen, notice}: WatchOutput): View<T> {
  let reported = '';
  let gap = '';
  return {
    async show({at, data, notices, error}) {
      const warnings = [...notices, ...(error === null ? [] : [`${at} ${error.message}`])];
      // The same failure is reported once, not at every poll.
      const report = [...notices, error?.message].join('\n');
      if (report !== reported) for (const warning of warnings) notice(warning);
      reported = report;
      if (error !== null) return;
      await written(stdout, `${gap}${at}\n${await text(data, screen())}`);
      gap = '\n';
    },
    async close() {},
  };
}

/** Under --json: one document per line; for a poll that failed, a document with the error. */
export function documentView<T>({document}: Watched<T>, {stdout, notice}: WatchOutput): View<T> {
  return {
    async show({data, notices, error}) {
      for (const text of notices) notice(text);
      const shown = error === null ? document(data) : {error: errorDocument(error)};
      await written(stdout, `${sanitizeJson(JSON.stringify(shown))}\n`);
    },
    async close() {},
  };
}
