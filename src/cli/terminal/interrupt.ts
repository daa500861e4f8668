import {readFileSync} from 'node:fs';
import {AtomctlError} from '../../errors.ts';

/** What a command says at a signal. */
export const ENDS_SOON = 'Interrupted: atomctl ends after the current step, so that nothing stays half done.';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Runs work that must end between two steps. The first SIGINT, SIGTERM, SIGHUP or SIGQUIT aborts the signal, and the work stops
 * after its current step; further ones change nothing, since the step must not be cut short. After the work they have no
 * effect: the result is shown.
 * @param acknowledge called at each signal, for work that may need some time to stop
 */
export function interruptibly<T>(
  work: (signal: AbortSignal) => Promise<T>,
  acknowledge: () => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  // After a hangup, stderr fails. There is nobody to tell.
  process.stderr.on('error', () => {});
  for (const name of SIGNALS) {
    if (name === 'SIGHUP' && hangupIsIgnored()) continue;
    process.on(name, () => {
      controller.abort();
      acknowledge();
    });
  }
  return work(controller.signal);
}

/**
 * Runs short work that a signal must not cut short, in a command that a signal ends otherwise.
 * @throws AtomctlError INTERRUPTED after the work if a signal came meanwhile; what `work` throws
 */
export async function deferSignals<T>(work: () => Promise<T>): Promise<T> {
  let interrupted = false;
  const remember = () => {
    interrupted = true;
  };
  for (const name of SIGNALS) process.on(name, remember);
  let result: T;
  try {
    result = await work();
  } finally {
    for (const name of SIGNALS) process.removeListener(name, remember);
  }
  if (!interrupted) return result;
  throw new AtomctlError('INTERRUPTED', 'Interrupted after the probe of the queue.', {
    hint: 'The waiting jobs are in the queue again, in their order.',
  });
}

/** Under nohup the process was started so that it ignores a hangup; a handler would undo that. */
function hangupIsIgnored(): boolean {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * The same chunks, for a file that is written completely or not at all.
 * @throws AtomctlError INTERRUPTED at the next chunk after the signal was aborted
 */
export async function* untilInterrupted<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  for await (const chunk of chunks) {
    if (signal.aborted) {
      throw new AtomctlError('INTERRUPTED', 'Interrupted while writing the history.', {
        hint: 'The incomplete file was removed, and nothing else was changed.',
      });
    }
    yield chunk;
  }
}
