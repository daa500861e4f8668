export interface Progress {
  /** Units done so far, out of the total. */
  update(done: number): void;
  /** Ends the line, so that something else can be printed. */
  stop(): void;
}

const NO_PROGRESS: Progress = {update: () => {}, stop: () => {}};

/** A progress bar on stderr if it is a terminal; otherwise, and under --quiet, nothing. */
export async function startProgress(options: {
  total: number;
  unit: string;
  quiet: boolean;
  stderr: NodeJS.WriteStream;
}): Promise<Progress> {
  if (options.quiet || options.stderr.isTTY !== true || options.total === 0) return NO_PROGRESS;
  const {SingleBar, Presets} = (await import('cli-progress')).default;
  const bar = new SingleBar(
    {
      format: `{bar} {value} of {total} ${options.unit}, {eta_formatted} left`,
      stream: options.stderr,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  bar.start(options.total, 0);
  let stopped = false;
  return {
    update(done) {
      if (!stopped) bar.update(done);
    },
    stop() {
      if (!stopped) bar.stop();
      stopped = true;
    },
  };
}

/** A line on stderr that is rewritten in place, if it is a terminal; otherwise, and under --quiet, nothing. */
export class ProgressLine {
  readonly #stderr: NodeJS.WriteStream | null;

  constructor(stderr: NodeJS.WriteStream, {quiet}: {quiet: boolean}) {
    this.#stderr = stderr.isTTY === true && !quiet ? stderr : null;
  }

  /** Shows plain text without control characters, cut to the terminal's width. */
  show(text: string): void {
    this.#stderr?.write(`\r${text.slice(0, (this.#stderr.columns || 80) - 1)}\u001b[K`);
  }

  /** Erases the line, so that something else can be printed. */
  clear(): void {
    this.#stderr?.write('\r\u001b[K');
  }
}
