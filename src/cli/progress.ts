export interface Progress {
  /** Units done so far, out of the total. */
  update(done: number): void;
  stop(): void;
}

const NO_PROGRESS: Progress = {update: () => {}, stop: () => {}};

/** A progress bar on stderr where that is a terminal; nothing at all elsewhere or under --quiet. */
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
  return {update: (done) => bar.update(done), stop: () => bar.stop()};
}
