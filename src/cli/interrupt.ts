import {AtomctlError} from '../errors.ts';

/**
 * Runs work that must end between two steps. The first SIGINT or SIGTERM aborts the signal, and the work stops after
 * its current step; a second one ends the process. A first one after the work has no effect: the result is shown.
 */
export function interruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  return work(controller.signal);
}

/**
 * The same chunks, for a file that is written completely or not at all.
 * @throws AtomctlError INTERRUPTED at the next chunk after the signal was aborted
 */
export async function* untilInterrupted<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  for await (const chunk of chunks) {
    if (signal.aborted) {
      throw new AtomctlError('INTERRUPTED', 'Interrupted while the history was being written.', {
        hint: 'Nothing was left of the file, and nothing else was changed.',
      });
    }
    yield chunk;
  }
}
