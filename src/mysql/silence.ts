/**
 * Looks every `milliseconds` whether a reply makes progress, and calls `check` where it made none. It measures
 * silence and not duration: a statement may run for an hour as long as `check` finds the server alive.
 * @param progress any value that differs once something has arrived
 * @returns ends the watch
 */
export function watchSilence(
  milliseconds: number,
  progress: () => unknown,
  check: () => Promise<void>,
): () => void {
  let watching = true;
  let seen = progress();
  let timer = setTimeout(look, milliseconds);
  async function look(): Promise<void> {
    if (progress() === seen) await check();
    seen = progress();
    if (watching) timer = setTimeout(look, milliseconds);
  }
  return () => {
    watching = false;
    clearTimeout(timer);
  };
}
