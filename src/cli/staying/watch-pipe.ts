import {sanitizeJson} from '../../render/sanitize.ts';
import type {View, Watched, WatchPlace} from './watch.ts';

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
