import {type Screen, screenOf, widthOf} from '../../render/screen.ts';
import {wrapSentences} from '../../render/wrap.ts';

/** The process's streams and environment, as commands use them. */
export interface IO {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Where signals arrive. */
  readonly signals: Pick<NodeJS.Process, 'on' | 'removeListener'>;
}

/** Those of this process. Node makes a stream when it is first used: stdin costs time, and most commands need none. */
export const processIO: IO = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  get env() {
    return process.env;
  },
  get signals() {
    return process;
  },
};

/** The screen that errors go to, known also if the flags cannot be parsed. */
export function errorScreen({stderr, env}: Pick<IO, 'stderr' | 'env'>, argv: readonly string[]): Screen {
  return screenOf(stderr, {noColor: argv.includes('--no-color'), env});
}

/** Writes sentences, each ending with its own newline; on a terminal, wrapped at its width. */
export function writeSentences(stream: NodeJS.WriteStream, text: string): void {
  stream.write(wrapSentences(text, widthOf(stream)));
}

/** Resolves when the text is written, so that a slow reader slows the writer down. */
export function written(stdout: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stdout.write(text, () => resolve());
  });
}
