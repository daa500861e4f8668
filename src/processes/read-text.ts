import {closeSync, openSync, readSync} from 'node:fs';

/**
 * The first bytes of a file in /proc as text; `cut` says that there is more. A file there has no size of its own, so
 * it is read until it ends or the limit is reached. The kernel answers from memory, and a host has hundreds of processes:
 * through Node's thread pool they would take ten times as long.
 * @throws the error of the system, such as ENOENT or ESRCH if the process has ended
 */
export async function readText(path: string, limitBytes: number): Promise<{text: string; cut: boolean}> {
  const file = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    while (length <= limitBytes) {
      const chunk = Buffer.allocUnsafe(Math.min(16_384, limitBytes + 1 - length));
      const count = readSync(file, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return {text: Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8'), cut: length > limitBytes};
  } finally {
    closeSync(file);
  }
}

/** Whether an error of the system says that the process ended while it was read. */
export function hasEnded(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
}
