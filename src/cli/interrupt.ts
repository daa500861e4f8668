import {AtomctlError} from '../errors.ts';

/**
 * For work that must end between two steps, not in the middle of one: the first SIGINT or SIGTERM aborts the
 * signal, so that the work stops where nothing is half done; a second one is left to the operating system.
 * After the work the first one is taken as come too late, so that what was done is told.
 */
export function interruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  return work(controller.signal);
}

/**
 * The same chunks, for a file that is written whole or not at all.
 * @throws AtomctlError INTERRUPTED at the next chunk once the signal is aborted
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
