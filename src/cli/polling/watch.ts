import {Flags} from '@oclif/core';
import {AtomctlError, EXIT} from '../../errors.ts';
import {sanitizeJson} from '../../render/sanitize.ts';
import type {Screen} from '../../render/screen.ts';
import type {Context} from '../context.ts';
import {secondsFrom} from '../flags/shared-flags.ts';
import {type PollSession, pollSession} from './poll-session.ts';
import {terminalView} from './watch-terminal.ts';

/** `--watch[=SECONDS]`; the command line gives `--watch` alone its default, since oclif cannot. */
export function watchFlag(exclusive: string[]) {
  return Flags.custom<number>({
    summary:
      'Show it again and again, every two seconds or every SECONDS, marking what changed; Ctrl-C ends it.',
    // oclif puts "=" and the value behind the label.
    helpLabel: '    --watch[',
    helpValue: 'SECONDS]',
    parse: secondsFrom(0.1),
    exclusive,
  })();
}

/** What is watched. */
export interface Watched<T> {
  title: string;
  seconds: number;
  look: (context: Context, notice: (text: string) => void) => Promise<T>;
  text: (seen: T, screen: Screen) => Promise<string>;
  document: (seen: T) => object;
}

/** What one look brought. */
export interface Round<T> {
  /** Wall-clock time in the site's zone. */
  at: string;
  /** What was seen last; older than the round where there is an error. */
  seen: T;
  notices: string[];
  error: AtomctlError | null;
}

/** Shows one round after the other. `close` may be called twice. */
export interface View<T> {
  show(round: Round<T>): Promise<void>;
  close(): Promise<void>;
}

export interface WatchPlace {
  json: boolean;
  /** The screen as it is now; it may be resized. */
  screen: () => Screen;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  notice: (text: string) => void;
}

/**
 * Looks and shows until it is interrupted; returns the exit status. Each look has connections of its own, so that a
 * server that went away and came back is just found there; one that is away is told of and tried again.
 * @throws AtomctlError what the first look throws
 */
export function watch<T>(settings: Context, watched: Watched<T>, place: WatchPlace): Promise<number> {
  return pollSession(settings, async (session) => {
    const notices: string[] = [];
    const at = await wallClock(session);
    const seen = await watched.look(session.context(), (text) => notices.push(text));
    if (session.signal.aborted) return EXIT.interrupted;
    let round: Round<T> = {at, seen, notices, error: null};
    const view = openView(watched, place);
    const close = () => void view.close();
    session.signal.addEventListener('abort', close, {once: true});
    try {
      for (;;) {
        await view.show(round);
        await session.pause(watched.seconds * 1000);
        if (session.signal.aborted) return EXIT.interrupted;
        await session.reopen();
        round = await nextRound(session, watched, round.seen);
        if (session.signal.aborted) return EXIT.interrupted;
      }
    } finally {
      await view.close();
    }
  });
}

function openView<T>(watched: Watched<T>, place: WatchPlace): View<T> {
  if (place.json) return documentView(watched, place);
  const onTerminal = place.screen().isTTY && process.env.TERM !== 'dumb';
  return onTerminal ? terminalView(watched, place) : textView(watched, place);
}

async function nextRound<T>(session: PollSession, {look}: Watched<T>, last: T): Promise<Round<T>> {
  const notices: string[] = [];
  const at = await wallClock(session);
  try {
    return {at, notices, seen: await look(session.context(), (text) => notices.push(text)), error: null};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {at, notices, seen: last, error};
  }
}

async function wallClock({context}: PollSession): Promise<string> {
  return (await context().time()).toWall(context().now());
}

/** For a pipe: a block each time, under the time of the look. */
export function textView<T>({text}: Watched<T>, {stdout, screen, notice}: WatchPlace): View<T> {
  let told = '';
  let gap = '';
  return {
    async show({at, seen, notices, error}) {
      const complaints = [...notices, ...(error === null ? [] : [`${at} ${error.message}`])];
      // A server that stays away is told of once.
      const sentence = [...notices, error?.message].join('\n');
      if (sentence !== told) for (const complaint of complaints) notice(complaint);
      told = sentence;
      if (error !== null) return;
      await written(stdout, `${gap}${at}\n${await text(seen, screen())}`);
      gap = '\n';
    },
    async close() {},
  };
}

/** Under --json: a document a line, and one with the error where a look failed. */
export function documentView<T>({document}: Watched<T>, {stdout, notice}: WatchPlace): View<T> {
  return {
    async show({seen, notices, error}) {
      for (const text of notices) notice(text);
      const {code, message, hint = null} = error ?? {};
      const shown = error === null ? document(seen) : {error: {code, message, hint}};
      await written(stdout, `${sanitizeJson(JSON.stringify(shown))}\n`);
    },
    async close() {},
  };
}

/** A reader that is slower than the looks slows them down. */
function written(stdout: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stdout.write(text, () => resolve());
  });
}
